import { settledWithin } from './concurrency/deadline.ts';
import type { Logger } from './telemetry/logger.ts';

/** Less than the 25 s after which the process ends whatever is open (main.ts). */
export const stopWithinMs = 22_000;

/** `starting` until the database is migrated and keys are there, `open` while requests are taken, `draining` from the first signal on. */
export type Phase = 'starting' | 'open' | 'draining';

/**
 * The start and stop list of a process: parts start one after another, and stop in the reverse order.
 * A part that fails to start stops those before it, and the start fails with its error.
 */
export interface Lifecycle {
  /** Starts a part and remembers how to stop it. */
  start<T>(name: string, start: () => T | Promise<T>, stop?: (part: T) => unknown): Promise<T>;
  /**
   * Stops everything that was started, last first. A part that fails to stop does not keep the others; nor does one that
   * hangs, once the time for all of them is up.
   */
  stop(): Promise<void>;
  readonly started: readonly string[];
}

export const createLifecycle = (log: Logger, withinMs = stopWithinMs): Lifecycle => {
  const parts: { name: string; stop: () => unknown }[] = [];
  let stopping: Promise<void> | undefined;

  const stopAll = async () => {
    const startedAt = performance.now();
    const stopping = new Set<string>();
    const stopPart = async (part: { name: string; stop: () => unknown }) => {
      stopping.add(part.name);
      try {
        await part.stop();
      } catch (error) {
        log.error({ event: 'stop.failed', err: error, part: part.name }, 'component failed to stop');
      }
      stopping.delete(part.name);
    };
    for (const part of parts.splice(0).reverse())
      await settledWithin(stopPart(part), Math.max(0, withinMs - (performance.now() - startedAt)));
    if (stopping.size > 0)
      log.warn({ event: 'stop.late', parts: [...stopping] }, 'components did not stop in time');
  };

  const stop = () => (stopping ??= stopAll());

  return {
    get started() {
      return parts.map((part) => part.name);
    },
    async start(name, start, stopPart) {
      try {
        const part = await start();
        parts.push({ name, stop: () => stopPart?.(part) });
        return part;
      } catch (error) {
        await stop();
        throw error;
      }
    },
    stop,
  };
};
