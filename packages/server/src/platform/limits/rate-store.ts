import { LRUCache } from 'lru-cache';

/** How often a key was counted in its window, and when (ms) the window ends. */
export interface RateCount {
  readonly count: number;
  readonly endsAt: number;
}

/**
 * Where calls are counted. It may answer at once or later: the one in memory answers at once, one that processes share
 * cannot. A store that fails must not fail the call: it falls back by itself.
 */
export interface RateStore {
  /** Counts one more call of `key` in a window of `windowMs` that begins with the first call. */
  hit(key: string, windowMs: number, now: number): RateCount | Promise<RateCount>;
  /** What this process knows of a key's window, without counting; undefined where none is running. */
  peek(key: string, windowMs: number, now: number): RateCount | undefined;
}

/** Some 20 MB. Beyond it the longest unused window is forgotten, so a flood of addresses cannot fill the memory. */
export const maxKeys = 100_000;

interface Window {
  count: number;
  endsAt: number;
}

/** Fixed windows in this process. Each process counts for itself. */
export const createMemoryRateStore = (): RateStore => {
  const windows = new LRUCache<string, Window>({ max: maxKeys });
  /** Also over: a window that ends later than it can, because the clock was set back. */
  const running = (known: Window | undefined, windowMs: number, now: number): known is Window =>
    known !== undefined && now < known.endsAt && known.endsAt - now <= windowMs;
  return {
    peek(key, windowMs, now) {
      const known = windows.get(key);
      return running(known, windowMs, now) ? known : undefined;
    },
    hit(key, windowMs, now) {
      const known = windows.get(key);
      if (running(known, windowMs, now)) {
        known.count += 1;
        return known;
      }
      const fresh = { count: 1, endsAt: now + windowMs };
      windows.set(key, fresh);
      return fresh;
    },
  };
};
