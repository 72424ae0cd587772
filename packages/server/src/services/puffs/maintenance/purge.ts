import type { Clock } from '../../../platform/clock.ts';
import type { CheckpointStore } from '../state/checkpoint-store.ts';
import type { PuffLog } from '../commit/puff-log.ts';
import type { PurgeStore } from './purge-store.ts';

const pageSize = 500;

/**
 * Removes for good what was deleted long enough ago (domain.md D2): 30 days after the deletion of a puff, an hour after
 * the deletion of all. Ids and numbers stay, so that no id is used twice and devices that were offline still receive the deletion.
 * Rows of months that contain it are deleted too: no read uses them, so no write would replace them.
 *
 * A fold needs the content of a change until it has folded it, so the checkpoints of the person must count the deletion
 * first. A state that is still older notices that it met stripped content, and starts from those checkpoints.
 */
export const createPurge =
  (deps: { store: PurgeStore; puffLog: PuffLog; checkpoints: CheckpointStore; clock: Clock }) =>
  /** Answers how many deletions were made final. Any number of processes may do it, and `signal` may cut it off. */
  async (signal?: AbortSignal): Promise<number> => {
    const { store, puffLog, checkpoints, clock } = deps;
    const now = clock.now();
    let purged = 0;
    for (;;) {
      const due = await store.findDue(now, pageSize);
      for (const { person } of due) await puffLog.historyForJob(person);
      await puffLog.flush();
      let done = 0;
      for (const { person, id, rev } of due) {
        signal?.throwIfAborted();
        if (!(await checkpoints.recordStrip(person, rev))) continue;
        // The rows first: as long as the content exists, the next run finds both.
        if (id === undefined) {
          await checkpoints.dropMonthsBefore(person, rev);
          await store.stripBefore(person, rev);
        } else {
          await checkpoints.dropMonthsOf(person, await store.monthsOf(person, id), rev);
          await store.stripPuff(person, id, rev);
        }
        done += 1;
      }
      purged += done;
      // What could not be made final now (its checkpoint is not written) is tried at the next run.
      if (done === 0) return purged;
    }
  };
