import { LRUCache } from 'lru-cache';
import type { RedisLink } from '../bus/redis-link.ts';
import { createRedisScript } from '../bus/redis-script.ts';
import { maxKeys, type RateStore } from './rate-store.ts';

/**
 * Adds to each window what a process counted, and answers with what all of them have, and when the window ends by the
 * clock of the processes. A window that is over, or that no clock here could have begun, is replaced.
 */
const script = `
local now, length = tonumber(ARGV[1]), tonumber(ARGV[2])
local answer = {}
for i, key in ipairs(KEYS) do
  local ends = tonumber(redis.call('HGET', key, 'ends'))
  if not ends or now >= ends or ends - now > 2 * length then
    ends = now + length
    redis.call('HSET', key, 'count', 0, 'ends', ends)
    redis.call('PEXPIRE', key, 2 * length)
  end
  answer[2 * i - 1] = redis.call('HINCRBY', key, 'count', ARGV[i + 2])
  answer[2 * i] = ends
end
return answer`;

const keysPerExchange = 200;

interface Window {
  /** As Redis has it. */
  readonly key: string;
  readonly windowMs: number;
  /** Of all processes, as of the last answer of Redis. */
  shared: number;
  /** Counted here since. */
  own: number;
  endsAt: number;
}

/**
 * Windows that processes share. A call is answered at once, from what this process counted and what Redis last answered of the
 * others; what was counted goes to Redis in the background, one exchange at a time and many keys in each. So
 * processes together may pass a quota by what arrives during an exchange (about a millisecond), the path of a puff
 * waits for nothing, and where Redis is away each process goes on counting by itself (docs/adr/0012-redis.md).
 */
export const createRedisRateStore = (redis: RedisLink): RateStore => {
  const changed = new Set<Window>();
  const windows = new LRUCache<string, Window>({
    max: maxKeys,
    // An evicted window is not sent any more.
    dispose: (window) => changed.delete(window),
  });
  let exchanging = false;

  const evaluate = createRedisScript(redis, script);

  const exchange = async (batch: readonly Window[], windowMs: number, now: number) => {
    const counted = batch.map(({ own }) => own);
    const answer = (await evaluate(
      batch.map(({ key }) => key),
      [now, windowMs, ...counted],
    )) as number[];
    batch.forEach((window, index) => {
      const own = counted[index] ?? 0;
      // A Redis that forgot everything in mid-window takes nothing away from what is known here.
      window.shared = Math.max(window.shared + own, answer[2 * index] ?? 0);
      window.endsAt = Math.min(window.endsAt, answer[2 * index + 1] ?? window.endsAt);
      window.own -= own;
    });
  };

  const exchangeAll = async (now: number) => {
    while (changed.size > 0) {
      const batch: Window[] = [];
      let windowMs: number | undefined;
      for (const window of changed) {
        if (batch.length === keysPerExchange) break;
        if (now < window.endsAt) {
          windowMs ??= window.windowMs;
          if (window.windowMs !== windowMs) continue;
          batch.push(window);
        }
        changed.delete(window);
      }
      if (windowMs !== undefined) await exchange(batch, windowMs, now);
    }
  };

  /** Counts of an outage are sent with the next call of their key. */
  const share = (now: number) => {
    if (exchanging || !redis.isUp()) return;
    exchanging = true;
    void exchangeAll(now)
      .catch(() => undefined)
      .finally(() => {
        exchanging = false;
      });
  };

  /** Also over: a window that ends later than any clock here allows, because this one was set back. */
  const running = (window: Window | undefined, windowMs: number, now: number): window is Window =>
    window !== undefined && now < window.endsAt && window.endsAt - now <= 2 * windowMs;

  return {
    peek(key, windowMs, now) {
      const window = windows.get(key);
      if (!running(window, windowMs, now)) return undefined;
      return { count: window.shared + window.own, endsAt: window.endsAt };
    },
    hit(key, windowMs, now) {
      let window = windows.get(key);
      if (!running(window, windowMs, now)) {
        window = { key: redis.keyOf('rate', key), windowMs, shared: 0, own: 0, endsAt: now + windowMs };
        windows.set(key, window);
      }
      window.own += 1;
      changed.add(window);
      share(now);
      return { count: window.shared + window.own, endsAt: window.endsAt };
    },
  };
};
