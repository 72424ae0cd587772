import type { RedisLink } from '../../bus/redis-link.ts';

/** The open sockets of each person over all processes, a bounded number of them. */
export interface SocketQuota {
  /** Takes a place for a new socket, and names those that have to make room for it: the oldest. */
  take(userId: string, socketId: string): Promise<readonly string[]>;
  give(userId: string, socketId: string): void;
  /** Removes every place of this account. Best effort: what is left expires. */
  forget(userId: string): Promise<void>;
}

/** What a process that was killed left behind goes after this long, or makes room first: it is the oldest. */
const keptMs = 24 * 60 * 60_000;

/** Without Redis no socket is evicted across processes; each process keeps its own bound. */
export const createSocketPlaces = (redis: RedisLink, places: number): SocketQuota => {
  const keyOf = (userId: string) => redis.keyOf('sockets', userId);
  return {
    async take(userId, socketId) {
      const key = keyOf(userId);
      const answers = await redis.commands
        .multi()
        .rpush(key, socketId)
        .pexpire(key, keptMs)
        .lrange(key, 0, -places - 1)
        .ltrim(key, -places, -1)
        .exec()
        .catch(() => null);
      const oldest: unknown = answers?.[2]?.[1];
      return Array.isArray(oldest) ? oldest.filter((id) => typeof id === 'string') : [];
    },
    give(userId, socketId) {
      redis.commands.lrem(keyOf(userId), 1, socketId).catch(() => undefined);
    },
    async forget(userId) {
      await redis.commands.del(keyOf(userId)).catch(() => undefined);
    },
  };
};
