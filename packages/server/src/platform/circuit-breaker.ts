import type { Clock } from './clock.ts';

/** Another service does not answer, or is not asked because it did not a moment ago. */
export class UnavailableError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'UnavailableError';
  }
}

export interface CircuitBreaker {
  /** Runs `work`, or throws UnavailableError at once where the circuit is open or too much is under way. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * Keeps a service that is down from holding up everybody who needs it: after `failures` UnavailableErrors in a row it
 * is left alone for `openMs`, then one call tries. Other errors are answers, and close the circuit.
 */
export const createCircuitBreaker = (deps: {
  name: string;
  clock: Clock;
  failures: number;
  openMs: number;
  maxInFlight: number;
}): CircuitBreaker => {
  const { name, clock } = deps;
  let failed = 0;
  let openedAt = -Infinity;
  let inFlight = 0;

  return {
    async run(work) {
      if (failed >= deps.failures) {
        const age = clock.now() - openedAt;
        if (age >= 0 && age < deps.openMs) throw new UnavailableError(`${name} is left alone for a moment`);
        openedAt = clock.now(); // this call tries, the others go on waiting
      }
      if (inFlight >= deps.maxInFlight) throw new UnavailableError(`too many calls of ${name} at once`);
      inFlight += 1;
      try {
        const result = await work();
        failed = 0;
        return result;
      } catch (error) {
        if (error instanceof UnavailableError) {
          failed += 1;
          if (failed === deps.failures) openedAt = clock.now();
        } else {
          failed = 0;
        }
        throw error;
      } finally {
        inFlight -= 1;
      }
    },
  };
};
