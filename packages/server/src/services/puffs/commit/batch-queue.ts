/** A queue with one commit in flight: what arrives meanwhile forms the next group. */
export interface BatchQueue<Item> {
  push(items: readonly Item[]): void;
}

export const createBatchQueue = <Item>(deps: {
  maxGroup: number;
  commit: (items: readonly Item[]) => Promise<void>;
  /** Called with the group of a commit that threw; the queue continues with the next group. */
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
      // In the next phase of the event loop, so that what arrives together forms one group.
      setImmediate(() => void run());
    },
  };
};
