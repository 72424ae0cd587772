import type { Clock } from '../clock.ts';

/** Another service does not answer, or is not asked because it did not a moment ago. */
export class UnavailableError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'UnavailableError';
  }
}

/** What an operator wants to see of a circuit. */
export interface BreakerWatch {
  /** A call ended without an answer, or was not made. */
  unavailable(): void;
  changed(isOpen: boolean): void;
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
  watch?: BreakerWatch;
}): CircuitBreaker => {
  const { name, clock, watch } = deps;
  let failed = 0;
  let openedAt = -Infinity;
  let inFlight = 0;

  const answered = () => {
    if (failed >= deps.failures) watch?.changed(false);
    failed = 0;
  };
  const unanswered = () => {
    failed += 1;
    if (failed !== deps.failures) return;
    openedAt = clock.now();
    watch?.changed(true);
  };
  const admit = () => {
    if (failed >= deps.failures) {
      const age = clock.now() - openedAt;
      if (age >= 0 && age < deps.openMs) throw new UnavailableError(`${name} is left alone for a moment`);
      openedAt = clock.now(); // this call tries, the others go on waiting
    }
    if (inFlight >= deps.maxInFlight) throw new UnavailableError(`too many calls of ${name} at once`);
  };
  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    inFlight += 1;
    try {
      const result = await work();
      answered();
      return result;
    } catch (error) {
      if (error instanceof UnavailableError) unanswered();
      else answered();
      throw error;
    } finally {
      inFlight -= 1;
    }
  };

  return {
    async run(work) {
      try {
        admit();
        return await call(work);
      } catch (error) {
        if (error instanceof UnavailableError) watch?.unavailable();
        throw error;
      }
    },
  };
};
