import type { Clock } from '../../../platform/clock.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import { markDirty, takeCheckpoint, type CheckpointStore } from './checkpoint-store.ts';
import type { FindDeletedUsers } from '../ports.ts';
import type { PuffState } from './puff-state.ts';

/** Writes states some time after the puffs, so that a start need not read whole logs. No answer depends on it. */
export interface CheckpointFlusher {
  changed(person: string, state: PuffState): void;
  /** Drops what is due of this person; a write that has begun continues. */
  evict(person: string): void;
  /** Writes all that is due now; resolves when it is on disk. */
  flush(): Promise<void>;
  /** ms since the oldest change that is not on disk; 0 where all of them are. */
  lagMs(): number;
  stop(): Promise<void>;
}

export const createCheckpointFlusher = (deps: {
  checkpoints: CheckpointStore;
  findDeletedUsers: FindDeletedUsers;
  /** Called for a person whose erasure this process has missed. */
  onDeleted: (person: string) => void;
  clock: Clock;
  log: Logger;
  intervalMs: number;
  /** Months before this one need not stay in memory once they are on disk. */
  keepFrom: () => string;
}): CheckpointFlusher => {
  const { checkpoints, clock, log } = deps;
  const due = new Map<string, PuffState>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  /** Of the changes that are due, and of those whose write is under way, when the oldest came. */
  let dueSince: number | undefined;
  let writingSince: number | undefined;

  /**
   * Takes what is due now out of the list. Deleted accounts are queried each time: a process that has missed an erasure
   * must not write a row after its last pass.
   */
  const takeDue = async (): Promise<Map<string, PuffState>> => {
    const people = [...due.keys()];
    const deleted = people.length === 0 ? people : await deps.findDeletedUsers(people);
    for (const person of deleted) deps.onDeleted(person);
    const states = new Map<string, PuffState>();
    for (const person of people) {
      const state = due.get(person);
      if (state) states.set(person, state);
      due.delete(person);
    }
    return states;
  };

  const writeDue = async () => {
    const since = dueSince;
    const states = await takeDue();
    // A change that arrived during the query is taken too, or is due again.
    [writingSince, dueSince] = [since, due.size === 0 ? undefined : clock.now()];
    // Without an await in between: the number and the sums belong together.
    const taken = [...states]
      .filter(([, state]) => state.dirty)
      .map(([person, state]) => takeCheckpoint(person, state));
    if (taken.length === 0) {
      writingSince = undefined;
      return;
    }
    try {
      await checkpoints.writeMonths(taken);
      await checkpoints.writePeople(taken);
    } catch (error) {
      for (const checkpoint of taken) {
        const state = states.get(checkpoint.person._id);
        if (!state) continue;
        markDirty(state, checkpoint);
        if (!due.has(checkpoint.person._id)) due.set(checkpoint.person._id, state);
      }
      dueSince = writingSince ?? dueSince;
      throw error;
    } finally {
      writingSince = undefined;
    }
    for (const state of states.values()) state.unloadBefore(deps.keepFrom());
  };

  const flush = () => (running = running.catch(() => undefined).then(writeDue));

  const schedule = () => {
    if (timer || stopped) return;
    timer = setTimeout(() => {
      flush()
        .catch((error: unknown) => {
          log.warn({ event: 'puffs.checkpoints_failed', err: error }, 'checkpoint flush failed; will retry');
        })
        .finally(() => {
          timer = undefined;
          if (due.size > 0) schedule();
        });
    }, deps.intervalMs);
    timer.unref();
  };

  return {
    changed(person, state) {
      due.set(person, state);
      dueSince ??= clock.now();
      schedule();
    },
    evict(person) {
      due.delete(person);
    },
    flush,
    lagMs() {
      const since = writingSince ?? dueSince;
      return since === undefined ? 0 : Math.max(0, clock.now() - since);
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await flush().catch((error: unknown) => {
        log.warn(
          { event: 'puffs.last_checkpoints_failed', err: error },
          'final checkpoint flush failed; no puff is lost',
        );
      });
    },
  };
};
