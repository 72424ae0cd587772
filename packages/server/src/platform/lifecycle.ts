import type { Logger } from './logger.ts';

/** `starting` until the database is migrated and keys are there, `open` while requests are taken, `draining` from the first signal on. */
export type Phase = 'starting' | 'open' | 'draining';

/**
 * The start and stop list of a process: parts start one after another, and stop in the reverse order.
 * A part that fails to start stops those before it, and the start fails with its error.
 */
export interface Lifecycle {
  /** Starts a part and remembers how to stop it. */
  start<T>(name: string, start: () => T | Promise<T>, stop?: (part: T) => unknown): Promise<T>;
  /** Stops everything that was started, last first. A part that fails to stop does not keep the others. */
  stop(): Promise<void>;
  readonly started: readonly string[];
}

export const createLifecycle = (log: Logger): Lifecycle => {
  const parts: { name: string; stop: () => unknown }[] = [];
  let stopping: Promise<void> | undefined;

  const stopAll = async () => {
    for (const part of parts.splice(0).reverse()) {
      try {
        await part.stop();
      } catch (error) {
        log.error({ err: error, part: part.name }, 'a part failed to stop');
      }
    }
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
