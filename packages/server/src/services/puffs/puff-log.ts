import type { Logger } from '../../platform/logger.ts';
import { createCheckpointFlusher } from './checkpoint-flusher.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import { createGroupCommit, type AppendAnswer } from './group-commit.ts';
import type { DayNumber } from './local-day.ts';
import type { NewPuff } from './puff.ts';
import { createPuffPeople } from './puff-people.ts';
import type { PuffHistory } from './puff-history.ts';
import type { PuffStore } from './puff-store.ts';

/** The log of every person's puffs, and the fold of each. */
export interface PuffLog {
  append(person: string, puffs: readonly NewPuff[], dayStartHour: number): Promise<AppendAnswer>;
  /**
   * Everything counted that the log held when this was called, whichever process wrote it; loaded from `from` on, or
   * from the first day of the month before the last.
   */
  history(person: string, from?: DayNumber): Promise<PuffHistory>;
  /** Resolves when all that was accepted is on disk, its checkpoints too. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

export const createPuffLog = (deps: {
  store: PuffStore;
  checkpoints: CheckpointStore;
  log: Logger;
  /** Writes in flight at once. Two use the database's group commit better than one; more only split the groups. */
  lanes?: number;
  /** Puffs that may wait before `overloaded`. */
  maxQueued?: number;
  /** People whose state is kept in memory. */
  maxPeople?: number;
  checkpointEveryMs?: number;
}): PuffLog => {
  const { store, checkpoints, log } = deps;
  const flusher = createCheckpointFlusher({ checkpoints, log, intervalMs: deps.checkpointEveryMs ?? 300 });
  const people = createPuffPeople({
    store,
    checkpoints,
    onChange: flusher.changed,
    maxPeople: deps.maxPeople ?? 20_000,
  });
  const commit = createGroupCommit({
    store,
    people,
    onChange: flusher.changed,
    log,
    lanes: deps.lanes ?? 2,
    maxQueued: deps.maxQueued ?? 20_000,
  });

  return {
    append: commit.append,
    history: (person) => people.current(person),
    async settle() {
      await commit.settle();
      await flusher.flush();
    },
    async stop() {
      await commit.settle();
      await flusher.stop();
    },
  };
};
