import { createHash } from 'node:crypto';
import type { RedisLink } from './redis-link.ts';

/** Runs a Lua script in one round trip. */
export type RedisScript = (keys: readonly string[], values: readonly (string | number)[]) => Promise<unknown>;

export const createRedisScript = (redis: RedisLink, source: string): RedisScript => {
  const digest = createHash('sha1').update(source).digest('hex');
  return async (keys, values) => {
    try {
      return await redis.commands.evalsha(digest, keys.length, ...keys, ...values);
    } catch (error) {
      // A Redis that was restarted has no scripts.
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return redis.commands.eval(source, keys.length, ...keys, ...values);
    }
  };
};
