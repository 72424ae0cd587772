/** Lets a test decide when Apple answers, so that no test depends on the speed of the machine. */
export interface Barrier {
  /** From now on requests for this path wait for `release`. */
  hold(path: string): void;
  /** Answers what waits, unless its caller has given up, and holds nothing any longer. */
  release(): void;
  /** Resolves when `count` requests have been held since `hold`. */
  held(count: number): Promise<void>;
}

export const createBarrier = (): Barrier & { pass(path: string, answer: () => void): void } => {
  const paths = new Set<string>();
  let waiting: (() => void)[] = [];
  let listeners: { count: number; resolve: () => void }[] = [];

  const notify = () => {
    for (const { count, resolve } of listeners) if (waiting.length >= count) resolve();
    listeners = listeners.filter(({ count }) => waiting.length < count);
  };

  return {
    hold: (path) => void paths.add(path),
    release() {
      paths.clear();
      const answers = waiting;
      waiting = [];
      for (const answer of answers) answer();
    },
    held: (count) =>
      new Promise((resolve) => {
        listeners.push({ count, resolve });
        notify();
      }),
    pass(path, answer) {
      if (!paths.has(path)) {
        answer();
        return;
      }
      waiting.push(answer);
      notify();
    },
  };
};
