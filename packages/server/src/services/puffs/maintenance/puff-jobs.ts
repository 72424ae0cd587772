import { createHash } from 'node:crypto';
import type { Connection } from 'mongoose';
import { z } from 'zod';
import { dayMs, hourMs, minuteMs } from '../../../domain/durations.ts';
import type { Clock } from '../../../platform/clock.ts';
import { idOfBytes } from '../../../platform/ids.ts';
import { defineJob, type Job } from '../../../platform/scheduler/job.ts';
import type { PuffLog } from '../commit/puff-log.ts';
import type { PuffMetrics } from '../log/puff-metrics.ts';
import type { PuffStore } from '../log/puff-store.ts';
import type { FindDeletedUsers } from '../ports.ts';
import type { CheckpointStore } from '../state/checkpoint-store.ts';
import { createPuffStateCache } from '../state/puff-state-cache.ts';
import type { RecountStore } from '../state/recount-store.ts';
import { createPurge } from './purge.ts';
import { createPurgeStore } from './purge-store.ts';
import { createReconcile } from './reconcile.ts';
import type { RecordSumsStore } from './record-sums-store.ts';

const sampleSize = 500;

/** Where the sample of a window begins among the ids of people: random, and always the same for one window. */
const startOfSample = (windowEnd: number): string => {
  const digest = createHash('sha256').update(`reconcile ${windowEnd}`).digest();
  return idOfBytes(digest.subarray(0, 8));
};

export const puffJobs = (deps: {
  connection: Connection;
  store: PuffStore;
  checkpoints: CheckpointStore;
  recounts: RecountStore;
  sums: RecordSumsStore;
  puffLog: PuffLog;
  findDeletedUsers: FindDeletedUsers;
  clock: Clock;
  metrics: Pick<PuffMetrics, 'drifted'>;
}): Job[] => {
  const { checkpoints, puffLog } = deps;
  const reconcile = createReconcile({
    sums: deps.sums,
    live: puffLog.historyForJob,
    // Separate states, so that each is read from its checkpoint; it writes none.
    stored: createPuffStateCache({ ...deps, onChange: () => undefined, maxPeople: 1 }),
  });
  const purge = createPurge({ ...deps, store: createPurgeStore(deps.connection) });
  return [
    defineJob({
      name: 'reconcile',
      summary: 'recounts a sample of people from their raw records; drift must be 0',
      everyMs: dayMs,
      offsetMs: 2 * hourMs + 30 * minuteMs,
      progress: z.object({ done: z.number(), drift: z.number() }),
      async run({ to, progress, save, log }) {
        await puffLog.flush();
        const start = startOfSample(to);
        const tail = await checkpoints.listPeople(start, sampleSize);
        const head = tail.length < sampleSize ? await checkpoints.listPeople('', sampleSize) : [];
        const sample = [...new Set([...tail, ...head])].slice(0, sampleSize);
        let drift = progress?.drift ?? 0;
        for (const [index, person] of sample.entries()) {
          if (index < (progress?.done ?? 0)) continue;
          const drifted = await reconcile(person);
          // An erasure in progress deletes the rows of a person one after the other.
          const isDrift = drifted.length > 0 && (await deps.findDeletedUsers([person])).length === 0;
          if (isDrift) {
            drift += 1;
            log.error(
              { event: 'puffs.drift', userId: person, where: drifted },
              'counts differ from a recount of the raw records',
            );
          }
          await save({ done: index + 1, drift });
        }
        deps.metrics.drifted(drift);
        return { people: sample.length, drift };
      },
    }),
    defineJob({
      name: 'purge',
      summary: 'removes the content of puffs for good after their restore window',
      everyMs: hourMs,
      offsetMs: 20 * minuteMs,
      // An index finds what is due; a run that is continued finds what is left.
      progress: z.undefined(),
      async run({ signal }) {
        return { purged: await purge(signal) };
      },
    }),
  ];
};
