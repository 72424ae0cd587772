import { DomainError } from '../edge/errors.ts';

/** Resolves with the work, whatever becomes of it, or after `withinMs` without it. Leaves no timer behind. */
export const settledWithin = (work: Promise<unknown>, withinMs: number): Promise<void> =>
  new Promise((resolve) => {
    const deadline = setTimeout(resolve, withinMs);
    const end = () => {
      clearTimeout(deadline);
      resolve();
    };
    work.then(end, end);
  });

/** How long (ms) a request or a socket event may take, the time that its body is under way apart (API-4). */
export const requestDeadlineMs = 15_000;

/** For a request that waited in vain: its outcome is not known, and the same request may be sent again. */
export const tooLate = (limitMs: number): DomainError =>
  new DomainError('overloaded', {
    detail:
      'The answer took too long; whether the request had its effect is not known. Send the same request again.',
    retryAfterSeconds: 2,
    cause: new Error(`no answer within ${limitMs} ms`),
  });

export interface Deadline {
  /** Time that passes until `work` is over does not count. */
  without<T>(work: Promise<T>): Promise<T>;
}

/**
 * The outcome of `start`, or `tooLate` when `limitMs` have passed. What was started goes on until the limits of the
 * database's commands end it, and its outcome is dropped.
 */
export const withDeadline = <T>(limitMs: number, start: (deadline: Deadline) => Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const startedAt = performance.now();
    let excludedMs = 0;
    let excludedSince: number | undefined;
    const check = () => {
      const now = performance.now();
      const current = excludedSince === undefined ? 0 : now - excludedSince;
      const leftMs = limitMs - (now - startedAt - excludedMs - current);
      if (leftMs > 0 || excludedSince !== undefined) timer = setTimeout(check, Math.max(leftMs, 1));
      else reject(tooLate(limitMs));
    };
    let timer = setTimeout(check, limitMs);
    const deadline: Deadline = {
      async without(work) {
        excludedSince = performance.now();
        try {
          return await work;
        } finally {
          excludedMs += performance.now() - excludedSince;
          excludedSince = undefined;
        }
      },
    };
    start(deadline).then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what was thrown
        reject(error);
      },
    );
  });
