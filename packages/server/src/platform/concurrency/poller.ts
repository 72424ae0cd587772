/** A poll that is repeated at a fixed interval. */
export interface Poller {
  /** Starts a poll at once, unless one is running, and does not wait for it. */
  pollNow(): void;
  start(): void;
  /** Resolves when the running poll has ended. */
  stop(): Promise<void>;
}

/**
 * Polls every `everyMs`; its timer does not keep the process alive. Polls never overlap: one that takes longer than the
 * interval swallows the next. A failed poll does not stop the poller.
 */
export const createPoller = (deps: {
  poll: () => Promise<void>;
  everyMs: number;
  onFailed: (error: unknown) => void;
}): Poller => {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  const pollNow = () => {
    running ??= deps
      .poll()
      .catch(deps.onFailed)
      .finally(() => {
        running = undefined;
      });
  };

  return {
    pollNow,
    start() {
      timer = setInterval(pollNow, deps.everyMs).unref();
    },
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
};
