import { networkOf } from '../edge/client-address.ts';

export interface ConnectionBounds {
  readonly perAddress: number;
  /** Of an IPv6 /48: a host that has one can use every /64 in it. */
  readonly perNetwork: number;
  readonly total: number;
}

/** A connection that counts until it is closed. */
export interface CountedConnection {
  /** Stops counting it. Further calls have no effect. */
  close(): void;
  /** It is no longer evicted for a newer one. */
  keep(): void;
}

/** Open connections, counted by client address. */
export interface ConnectionCounts {
  /**
   * Counts one more. Undefined where its address or network is at its bound, or where `total` is reached and no
   * connection can be evicted. Otherwise the oldest connection with an `evict` makes room for this one: a flood is many
   * new connections, so it evicts itself. `evict` closes the connection; it stops counting before that.
   */
  open(address: string, evict?: () => void): CountedConnection | undefined;
  /** How many are open in all. */
  total(): number;
}

/** IPv6 networks of a client may differ in size; a provider's customer with many /64 gets several times the bound of one. */
export const networkShare = 4;

export const createConnectionCounts = (bounds: ConnectionBounds): ConnectionCounts => {
  const counts = new Map<string, number>();
  /** In the order in which they were opened. */
  const evictable = new Set<() => void>();
  let total = 0;

  const isFull = (key: string, bound: number) => (counts.get(key) ?? 0) >= bound;
  const add = (key: string, change: 1 | -1) => {
    const count = (counts.get(key) ?? 0) + change;
    if (count === 0) counts.delete(key);
    else counts.set(key, count);
  };

  return {
    open(address, evict) {
      const network = networkOf(address);
      if (isFull(address, bounds.perAddress)) return undefined;
      if (network !== undefined && isFull(network, bounds.perNetwork)) return undefined;
      if (total >= bounds.total) {
        const [evictOldest] = evictable;
        if (!evictOldest) return undefined;
        evictOldest();
      }
      const keys = network === undefined ? [address] : [address, network];
      for (const key of keys) add(key, 1);
      total += 1;
      let isOpen = true;
      const close = () => {
        if (!isOpen) return;
        isOpen = false;
        total -= 1;
        evictable.delete(makeRoom);
        for (const key of keys) add(key, -1);
      };
      const makeRoom = () => {
        close();
        evict?.();
      };
      if (evict) evictable.add(makeRoom);
      return {
        close,
        keep() {
          evictable.delete(makeRoom);
        },
      };
    },
    total: () => total,
  };
};
