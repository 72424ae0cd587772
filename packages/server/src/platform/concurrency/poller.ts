/** Something that is looked at again and again. */
export interface Watch {
  /** Looks at once, without waiting for it. */
  soon(): void;
  start(): void;
  /** Resolves when a look that is under way is over. */
  stop(): Promise<void>;
}

/**
 * A look every `everyMs`, which does not keep the process alive. One that takes longer than the pause is not doubled, and
 * after one that fails the next one is made all the same.
 */
export const createWatch = (deps: {
  look: () => Promise<void>;
  everyMs: number;
  onFailed: (error: unknown) => void;
}): Watch => {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  const soon = () => {
    running ??= deps
      .look()
      .catch(deps.onFailed)
      .finally(() => {
        running = undefined;
      });
  };

  return {
    soon,
    start() {
      timer = setInterval(soon, deps.everyMs).unref();
    },
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
};
