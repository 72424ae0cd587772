import { createHash } from 'node:crypto';
import { z } from 'zod';
import { idOfBytes } from '../../../platform/ids.ts';
import { defineJob, type Job } from '../../../platform/scheduler/job.ts';
import { dayMs, hourMs, minuteMs } from '../../../domain/durations.ts';
import type { FindDeletedUsers } from '../state/checkpoint-flusher.ts';
import type { CheckpointStore } from '../state/checkpoint-store.ts';
import type { PuffMetrics } from '../log/puff-metrics.ts';
import type { Reconcile } from './reconcile.ts';

const sampleSize = 500;

/** Where the sample of a night begins among the ids of people: anywhere, and for one window always there. */
const startOfSample = (windowEnd: number): string => {
  const digest = createHash('sha256').update(`reconcile ${windowEnd}`).digest();
  return idOfBytes(digest.subarray(0, 8));
};

export const puffJobs = (deps: {
  checkpoints: Pick<CheckpointStore, 'listPeople'>;
  reconcile: Reconcile;
  absentAmong: FindDeletedUsers;
  /** Answers how many deletions were made final. */
  purge: (signal: AbortSignal) => Promise<number>;
  /** Writes the checkpoints of this process. */
  flush: () => Promise<void>;
  metrics: Pick<PuffMetrics, 'drifted'>;
}): Job[] => [
  defineJob({
    name: 'reconcile',
    summary: 'recounts a sample of people from their raw records; drift must be 0',
    everyMs: dayMs,
    offsetMs: 2 * hourMs + 30 * minuteMs,
    progress: z.object({ done: z.number(), drift: z.number() }),
    async run({ to, progress, save, log }) {
      await deps.flush();
      const start = startOfSample(to);
      const tail = await deps.checkpoints.listPeople(start, sampleSize);
      const head = tail.length < sampleSize ? await deps.checkpoints.listPeople('', sampleSize) : [];
      const sample = [...new Set([...tail, ...head])].slice(0, sampleSize);
      let drift = progress?.drift ?? 0;
      for (const [index, person] of sample.entries()) {
        if (index < (progress?.done ?? 0)) continue;
        const drifted = await deps.reconcile(person);
        // Of somebody who is being erased the rows go one after the other.
        const isDrift = drifted.length > 0 && (await deps.absentAmong([person])).length === 0;
        if (isDrift) {
          drift += 1;
          log.error(
            { event: 'puffs.drift', userId: person, where: drifted },
            "a person's counts differ from a recount of their records",
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
    summary: 'removes for good what was deleted long enough ago',
    everyMs: hourMs,
    offsetMs: 20 * minuteMs,
    // What is due is found by an index; a run that is continued finds what is left.
    progress: z.undefined(),
    async run({ signal }) {
      return { purged: await deps.purge(signal) };
    },
  }),
];
