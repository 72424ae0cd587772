import type { Clock } from '../clock.ts';
import { DomainError } from '../edge/errors.ts';

const maxWaitMs = 10_000;

/** Runs work of the same key one after the other, in the order of the calls; work of different keys runs concurrently. */
export type KeyedMutex = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/**
 * For transactions that write the same few documents, such as the sign-ins of one person: run one after the other, each
 * runs once; run concurrently, most are aborted and run again. It excludes work of this process only; between processes
 * the transactions themselves decide. Throws `overloaded` when work has waited for 10 s, because its client has most
 * likely given up.
 */
export const createKeyedMutex = (clock: Clock): KeyedMutex => {
  const last = new Map<string, Promise<void>>();

  return async (key, work) => {
    const queuedAt = clock.now();
    const before = last.get(key);
    let release = () => {};
    const mine = new Promise<void>((resolve) => (release = resolve));
    last.set(key, mine);
    try {
      await before;
      if (clock.now() - queuedAt > maxWaitMs)
        throw new DomainError('overloaded', {
          detail: 'Too many calls of this kind at once for one account. Send the same request again.',
          retryAfterSeconds: 1,
        });
      return await work();
    } finally {
      release();
      if (last.get(key) === mine) last.delete(key);
    }
  };
};
