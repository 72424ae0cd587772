import type { Logger } from '../../platform/logger.ts';

const everyMs = 2_000;

export interface ErasureWatch {
  start(): void;
  stop(): Promise<void>;
}

/**
 * Lets this process learn of accounts that another one has ended, by a look at the open erasures every 2 s. It needs no
 * bus: where there is one the news may come sooner, and where it is lost this repairs it.
 */
export const createErasureWatch = (deps: { check: () => Promise<void>; log: Logger }): ErasureWatch => {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  const tick = () => {
    // A look that takes longer than the pause is not doubled.
    running ??= deps
      .check()
      .catch((error: unknown) => {
        deps.log.warn({ event: 'users.erasure_watch_failed', err: error }, 'erasures were not looked for');
      })
      .finally(() => {
        running = undefined;
      });
  };

  return {
    start() {
      timer = setInterval(tick, everyMs).unref();
    },
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
};
