import type { Clock } from '../clock.ts';
import { DomainError } from '../edge/errors.ts';

const mayWaitMs = 10_000;

/** Runs work of the same key one after the other, of different keys at once. */
export type Turns = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/**
 * Transactions that all write the same few documents, such as the sign-ins of one person: in turn each of them runs once,
 * at once most of them would be aborted and run again. Other processes are kept apart by the transactions themselves.
 * Throws `overloaded` where a turn comes too late for anybody to be still waiting.
 */
export const createTurns = (clock: Clock): Turns => {
  const last = new Map<string, Promise<void>>();

  return async (key, work) => {
    const queuedAt = clock.now();
    const before = last.get(key);
    let release = () => {};
    const mine = new Promise<void>((resolve) => (release = resolve));
    last.set(key, mine);
    try {
      await before;
      if (clock.now() - queuedAt > mayWaitMs)
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
