import { setTimeout as pause } from 'node:timers/promises';

/**
 * How long (ms) a test waits for an expected effect. It is not a requirement: a passing test waits only as long as the
 * work takes. Shorter than Jest's timeout, so that the failure names the missing effect.
 */
export const patienceMs = 60_000;

/** Resolves as soon as `isSo`; throws with `what` after `patienceMs`. */
export const eventually = async (what: string, isSo: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${patienceMs / 1_000} s: ${what}`);
    await pause(10);
  }
};

/** The outcome of `promise`; throws with `what` after `patienceMs`. Leaves no timer behind. */
export const inTime = async <T>(what: string, promise: Promise<T>): Promise<T> => {
  const settled = new AbortController();
  const late = pause(patienceMs, undefined, { signal: settled.signal }).then(
    () => Promise.reject(new Error(`not within ${patienceMs / 1_000} s: ${what}`)),
    () => promise,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    settled.abort();
  }
};
