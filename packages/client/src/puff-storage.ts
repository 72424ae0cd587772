import type { BatchPuffInput } from '@pufftrack/contract';

/** Where waiting puffs outlive the process. One storage per person: its puffs go to whoever is signed in. */
export interface PuffStorage {
  /** In the order in which they were added. */
  list(): Promise<readonly BatchPuffInput[]>;
  /** Keeps the first of two with the same id, as the server does. */
  add(puff: BatchPuffInput): Promise<void>;
  remove(ids: readonly string[]): Promise<void>;
}

export const memoryPuffStorage = (): PuffStorage => {
  const puffs = new Map<string, BatchPuffInput>();
  return {
    list: () => Promise.resolve([...puffs.values()]),
    add: (puff) => {
      if (!puffs.has(puff.id)) puffs.set(puff.id, puff);
      return Promise.resolve();
    },
    remove: (ids) => {
      for (const id of ids) puffs.delete(id);
      return Promise.resolve();
    },
  };
};
