/** A queue with one commit in flight: what arrives during it goes together in the next. */
export interface BatchQueue<Item> {
  push(items: readonly Item[]): void;
}

export const createBatchQueue = <Item>(deps: {
  maxGroup: number;
  commit: (items: readonly Item[]) => Promise<void>;
  /** A commit must not throw; if it does, its items are given up here and the lane goes on. */
  onError: (items: readonly Item[], error: unknown) => void;
}): BatchQueue<Item> => {
  let queue: Item[] = [];
  let running = false;

  const run = async () => {
    while (queue.length > 0) {
      const group = queue.slice(0, deps.maxGroup);
      queue = queue.slice(deps.maxGroup);
      try {
        await deps.commit(group);
      } catch (error) {
        deps.onError(group, error);
      }
    }
    running = false;
  };

  return {
    push(items) {
      for (const item of items) queue.push(item);
      if (running) return;
      running = true;
      // After this turn of the loop, so that what arrives together goes together.
      setImmediate(() => void run());
    },
  };
};
