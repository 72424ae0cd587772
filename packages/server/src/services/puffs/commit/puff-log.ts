import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../platform/clock.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { Admission } from './admission.ts';
import type { FindDeletedUsers } from '../ports.ts';
import { createCheckpointFlusher } from '../state/checkpoint-flusher.ts';
import type { CheckpointStore } from '../state/checkpoint-store.ts';
import { createGroupCommit } from './group-commit.ts';
import { monthOf, type DayNumber } from '../../../domain/local-day.ts';
import { createBulkHistories } from '../state/bulk-histories.ts';
import type { BulkLogStore } from '../log/bulk-log-store.ts';
import type { NewPuff } from '../domain/puff.ts';
import { createLogEditor, type LogEditor } from './log-editor.ts';
import type { AppendResult } from './pending.ts';
import type { Moment } from '../domain/puff-history.ts';
import type { PuffMetrics } from '../log/puff-metrics.ts';
import { createPuffStateCache, windowStart } from '../state/puff-state-cache.ts';
import type { PuffState } from '../state/puff-state.ts';
import type { PuffStore } from '../log/puff-store.ts';
import type { RecountStore } from '../state/recount-store.ts';

/** The log of every person's puffs, and the fold of each. */
export interface PuffLog extends LogEditor {
  append(person: string, puffs: readonly NewPuff[], dayStartHour: number): Promise<AppendResult>;
  /**
   * Everything counted that the log held when this was called, whichever process wrote it; loaded from `from` on, or
   * from the first day of the month before the last. Applies pending changes to the records of their puffs first.
   */
  history(person: string, from?: DayNumber): Promise<PuffState>;
  /** The same for a job: its reads have the limit of jobs. */
  historyForJob(person: string, from?: DayNumber): Promise<PuffState>;
  /** The newest number of each log, in one query; people without a puff are left out. */
  newestRevs(people: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /**
   * Histories of many people, from the first day of the month before the last on, each with everything up to its
   * number counted at least; in a number of queries that does not depend on how many they are.
   */
  histories(revs: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, PuffState>>;
  /**
   * Drops everything that this process holds of a person whose account is deleted: the state, pending writes and due
   * checkpoints. No write of theirs begins here from then on.
   */
  evict(person: string): void;
  /** The live puffs between two instants (ms), both included, oldest first: all that the log held when this was called. */
  momentsBetween(person: string, range: { from: number; to: number }): Promise<Moment[]>;
  /** Resolves when everything of this person that was queued here before is stored or refused. */
  drain(person: string): Promise<void>;
  /**
   * Whether puffs of this person may be processed at this moment. Reads where this process holds no current settings, and
   * is false where they cannot be read.
   */
  isAdmitted(person: string): boolean | Promise<boolean>;
  /** Writes the checkpoints of what has been folded here so far; never waits for puffs that keep coming. */
  flush(): Promise<void>;
  /** Resolves when nothing is queued or under way any more, and all of it is in checkpoints. */
  drainAll(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * How often the rows of an active person are rewritten; a start reads the log of this time. At 300 ms the rows of 100
 * busy people took a fifth of all writes.
 */
const checkpointEveryMs = 2_000;
/** Erased people that a process remembers: far more than there are before the last write of the first is over. */
const maxErased = 20_000;

export const createPuffLog = (deps: {
  store: PuffStore;
  recounts: RecountStore;
  checkpoints: CheckpointStore;
  bulk: BulkLogStore;
  findDeletedUsers: FindDeletedUsers;
  admission: Admission;
  clock: Clock;
  log: Logger;
  metrics: PuffMetrics;
  /** Writes in flight at once. Two use the database's group commit better than one; more only split the groups. */
  shards?: number;
  /** Puffs that may wait before `overloaded`. */
  maxQueued?: number;
  /** People whose state is kept in memory. */
  maxPeople?: number;
  checkpointEveryMs?: number;
}): PuffLog => {
  const { store, recounts, checkpoints, bulk, clock, log, metrics } = deps;
  const erased = new LRUCache<string, true>({ max: maxErased });
  const isErased = (person: string) => erased.has(person);
  const evict = (person: string) => {
    erased.set(person, true);
    states.drop(person);
    flusher.evict(person);
  };
  const flusher = createCheckpointFlusher({
    checkpoints,
    findDeletedUsers: deps.findDeletedUsers,
    onDeleted: evict,
    clock,
    log,
    intervalMs: deps.checkpointEveryMs ?? checkpointEveryMs,
    keepFrom: () => monthOf(windowStart(clock.now())),
  });
  const onChange = (person: string, state: PuffState) => {
    if (!isErased(person)) flusher.changed(person, state);
  };
  const states = createPuffStateCache({
    store,
    recounts,
    checkpoints,
    onChange,
    isErased,
    clock,
    maxPeople: deps.maxPeople ?? 20_000,
  });
  const commit = createGroupCommit({
    store,
    states,
    onChange,
    admission: deps.admission,
    isErased,
    log,
    metrics,
    shards: deps.shards ?? 2,
    maxQueued: deps.maxQueued ?? 20_000,
  });
  metrics.watchQueue(commit.depth);
  metrics.watchCheckpoints(flusher.lagMs);

  return {
    append: commit.append,
    ...createLogEditor({ store, states, runExclusive: commit.runExclusive, admission: deps.admission }),
    history: states.getCurrent,
    historyForJob: states.getCurrentForJob,
    newestRevs: bulk.newestRevs,
    histories: createBulkHistories({
      logs: bulk,
      checkpoints,
      states,
      windowStart: () => windowStart(clock.now()),
    }),
    evict,
    async momentsBetween(person, range) {
      const { rev, clearedRev } = await states.getCurrent(person);
      return recounts.momentsBetween(person, range, { rev, clearedRev });
    },
    drain: commit.drain,
    isAdmitted(person) {
      if (isErased(person)) return false;
      const admitted = deps.admission.check(person);
      if (admitted !== 'unknown') return admitted === 'granted';
      return deps.admission.read(person).then(
        () => !isErased(person),
        () => false,
      );
    },
    flush: flusher.flush,
    async drainAll() {
      await commit.drainAll();
      await flusher.flush();
    },
    async stop() {
      await commit.drainAll();
      await flusher.stop();
    },
  };
};
