import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import { createCheckpointFlusher } from './checkpoint-flusher.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import { createGroupCommit, type AppendAnswer } from './group-commit.ts';
import { monthOf, type DayNumber } from './local-day.ts';
import type { NewPuff } from './puff.ts';
import { createPuffChanges, type PuffChanges } from './puff-changes.ts';
import type { PuffMetrics } from './puff-metrics.ts';
import { createPuffPeople, windowStart } from './puff-people.ts';
import type { PuffState } from './puff-state.ts';
import type { PuffStore } from './puff-store.ts';
import type { RecountStore } from './recount-store.ts';

/** The log of every person's puffs, and the fold of each. */
export interface PuffLog extends PuffChanges {
  append(person: string, puffs: readonly NewPuff[], dayStartHour: number): Promise<AppendAnswer>;
  /**
   * Everything counted that the log held when this was called, whichever process wrote it; loaded from `from` on, or
   * from the first day of the month before the last.
   */
  history(person: string, from?: DayNumber): Promise<PuffState>;
  /** Writes the checkpoints of what has been folded here so far; never waits for puffs that keep coming. */
  flush(): Promise<void>;
  /** Resolves when nothing is queued or under way any more, and all of it is in checkpoints. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Somebody who puffs has their rows rewritten this often; a start reads the log of so long. At 300 ms the rows of 100
 * busy people took a fifth of all writes.
 */
const checkpointEveryMs = 2_000;

export const createPuffLog = (deps: {
  store: PuffStore;
  recounts: RecountStore;
  checkpoints: CheckpointStore;
  clock: Clock;
  log: Logger;
  metrics: PuffMetrics;
  /** Writes in flight at once. Two use the database's group commit better than one; more only split the groups. */
  lanes?: number;
  /** Puffs that may wait before `overloaded`. */
  maxQueued?: number;
  /** People whose state is kept in memory. */
  maxPeople?: number;
  checkpointEveryMs?: number;
}): PuffLog => {
  const { store, recounts, checkpoints, clock, log, metrics } = deps;
  const flusher = createCheckpointFlusher({
    checkpoints,
    clock,
    log,
    intervalMs: deps.checkpointEveryMs ?? checkpointEveryMs,
    keepFrom: () => monthOf(windowStart(clock.now())),
  });
  const people = createPuffPeople({
    store,
    recounts,
    checkpoints,
    onChange: flusher.changed,
    clock,
    maxPeople: deps.maxPeople ?? 20_000,
  });
  const commit = createGroupCommit({
    store,
    people,
    onChange: flusher.changed,
    log,
    metrics,
    lanes: deps.lanes ?? 2,
    maxQueued: deps.maxQueued ?? 20_000,
  });
  metrics.watchQueue(commit.depth);
  metrics.watchCheckpoints(flusher.lagMs);

  return {
    append: commit.append,
    ...createPuffChanges({ store, people, alone: commit.alone }),
    history: people.current,
    flush: flusher.flush,
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
