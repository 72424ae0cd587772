import { DomainError } from './errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** Calls back with how late (ms) the event loop is, some times a second. Gives back how to stop. */
export type WatchLag = (onSample: (lagMs: number) => void) => () => void;

const everyMs = 250;

/** How late a timer comes: what every request waits besides its own work. */
export const watchLoopLag: WatchLag = (onSample) => {
  let due = performance.now() + everyMs;
  const timer = setInterval(() => {
    const now = performance.now();
    onSample(Math.max(0, now - due));
    due = now + everyMs;
  }, everyMs).unref();
  return () => {
    clearInterval(timer);
  };
};

const lateMs = 200;
/** One late sample may be a pause of the garbage collector; three in a row are an overload. */
const samplesInARow = 3;

export interface Overload {
  /** Throws `overloaded` while the event loop was late for several samples in a row, until the first good one. */
  requireCapacity(): void;
  stop(): void;
}

/**
 * Sheds load while the loop cannot keep up (REL-10): a refusal costs next to nothing, and accepted calls are answered in
 * time. Without it every call waits, longer and longer.
 */
export const createOverload = (deps: { watchLag: WatchLag; metrics: Metrics; log: Logger }): Overload => {
  const { metrics, log } = deps;
  let late = 0;
  const shed = metrics.counter({
    name: 'shed_total',
    help: 'Calls and events refused because the loop was late',
  });
  const isLate = () => late >= samplesInARow;
  metrics.watched({ name: 'overloaded', help: '1 while calls are refused because the loop is late' }, () =>
    Number(isLate()),
  );

  const stop = deps.watchLag((lagMs) => {
    const before = isLate();
    late = lagMs > lateMs ? late + 1 : 0;
    if (isLate() !== before)
      log.warn(
        { event: before ? 'overload.over' : 'overload.began', lagMs: Math.round(lagMs) },
        before ? 'event loop lag back to normal' : 'event loop overloaded',
      );
  });

  return {
    requireCapacity() {
      if (!isLate()) return;
      shed({});
      throw new DomainError('overloaded', {
        detail: 'The server has more to do than it can answer in time. Send the same request again.',
        retryAfterSeconds: 1,
      });
    },
    stop,
  };
};
