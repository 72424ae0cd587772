/** Connections that are open, counted by key: an address, or whatever else bounds them. */
export interface ConnectionCounts {
  /** Counts one more until the returned function is called. Undefined where `perKey` or `total` is reached. */
  open(key: string): (() => void) | undefined;
  /** How many are open in all. */
  total(): number;
}

export const createConnectionCounts = (bounds: { perKey: number; total: number }): ConnectionCounts => {
  const counts = new Map<string, number>();
  let total = 0;
  const close = (key: string) => {
    total -= 1;
    const left = (counts.get(key) ?? 1) - 1;
    if (left === 0) counts.delete(key);
    else counts.set(key, left);
  };
  return {
    open(key) {
      const count = counts.get(key) ?? 0;
      if (count >= bounds.perKey || total >= bounds.total) return undefined;
      counts.set(key, count + 1);
      total += 1;
      let isOpen = true;
      return () => {
        if (isOpen) close(key);
        isOpen = false;
      };
    },
    total: () => total,
  };
};
