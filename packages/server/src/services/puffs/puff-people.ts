import { LRUCache } from 'lru-cache';
import type { CheckpointStore } from './checkpoint-store.ts';
import type { PuffState } from './puff-state.ts';
import type { PuffStore } from './puff-store.ts';

const pageSize = 5_000;

/** The states that this process holds. Any of them may be dropped at any time: the log is the truth. */
export interface PuffPeople {
  /** The state as this process knows it; it may be behind other processes. */
  peek(person: string): PuffState | undefined;
  /** The state with everything counted that the log held when this was called. */
  current(person: string): Promise<PuffState>;
  drop(person: string): void;
}

export const createPuffPeople = (deps: {
  store: PuffStore;
  checkpoints: CheckpointStore;
  /** Tells the flusher that a fold moved the state. */
  onChange: (person: string, state: PuffState) => void;
  maxPeople: number;
}): PuffPeople => {
  const { store, checkpoints, onChange } = deps;
  const states = new LRUCache<string, PuffState>({ max: deps.maxPeople });
  const loading = new Map<string, Promise<PuffState>>();

  /** Folds the log after the state's number; a number that a crash left out is filled before going past it. */
  const catchUp = async (person: string, state: PuffState): Promise<void> => {
    const before = state.rev;
    for (;;) {
      const records = await store.readAfter(person, state.rev, pageSize);
      const hole = records.find((record) => !state.fold(record));
      if (hole) await store.fillHoles(person, numbersBetween(state.rev, hole.rev));
      else if (records.length < pageSize) break;
    }
    if (state.rev !== before) onChange(person, state);
  };

  const load = async (person: string): Promise<PuffState> => {
    const state = await checkpoints.load(person);
    await catchUp(person, state);
    // A month row may be ahead of the log that was just read only while another process writes; then read on.
    while ([...state.countedIn.values()].some((rev) => rev > state.rev)) await catchUp(person, state);
    states.set(person, state);
    return state;
  };

  return {
    peek: (person) => states.get(person),
    async current(person) {
      const state = states.get(person);
      if (state) {
        await catchUp(person, state);
        return state;
      }
      let pending = loading.get(person);
      if (!pending) {
        pending = load(person).finally(() => loading.delete(person));
        loading.set(person, pending);
        return pending;
      }
      // The load under way may have read the log before this call; ask once more.
      const loaded = await pending;
      await catchUp(person, loaded);
      return loaded;
    },
    drop(person) {
      states.delete(person);
    },
  };
};

/** The numbers strictly between two, at most a page of them. */
const numbersBetween = (from: number, to: number): number[] =>
  Array.from({ length: Math.min(to - from - 1, pageSize) }, (_, index) => from + 1 + index);
