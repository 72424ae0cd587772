import { z } from 'zod';
import { groupBy } from '../../../platform/group-by.ts';
import type { Clock } from '../../../platform/clock.ts';
import { defineJob, type Job } from '../../../platform/scheduler/job.ts';
import { dayMs, hourMs, minuteMs } from '../../../domain/durations.ts';
import type { Window } from '../../../platform/scheduler/schedule.ts';
import { lateAfterMs } from '../../puffs/index.ts';
import { isProcessed } from '../../../domain/consents.ts';
import { createPeriodCounter, type Period } from './platform-metrics.ts';
import type { PlatformMetricsStore } from './platform-metrics-store.ts';
import type { PuffHistories, UserDirectory } from '../ports.ts';

/** The people whose logs are read by one query. */
const pageSize = 500;

/**
 * The periods that a run counts: the hours and days of UTC that ended in its window, and the days that became final in it.
 * A day includes its hours. Oldest first.
 */
export const periodsDue = ({ from, to }: Window): Period[] => {
  const days = [...endsIn(dayMs, from - lateAfterMs, to - lateAfterMs), ...endsIn(dayMs, from, to)];
  const inDays = new Set(days);
  const hours = endsIn(hourMs, from, to).filter((end) => !inDays.has(Math.ceil(end / dayMs) * dayMs));
  return [
    ...[...inDays].map((end): Period => ({ period: 'day', from: end - dayMs, to: end })),
    ...hours.map((end): Period => ({ period: 'hour', from: end - hourMs, to: end })),
  ].sort((a, b) => a.to - b.to);
};

/** The multiples of `stepMs` after `from`, up to and including `to`. */
const endsIn = (stepMs: number, from: number, to: number): number[] => {
  const ends: number[] = [];
  for (let end = (Math.floor(from / stepMs) + 1) * stepMs; end <= to; end += stepMs) ends.push(end);
  return ends;
};

/** Counts the platform metrics from the logs. A run replaces its rows, so it can be repeated. */
export const platformMetricsJobs = (deps: {
  store: PlatformMetricsStore;
  users: Pick<UserDirectory, 'listPage'>;
  puffs: Pick<PuffHistories, 'countByHour'>;
  clock: Clock;
}): Job[] => {
  const { store, users, clock } = deps;

  const count = async (period: Period, signal: AbortSignal) => {
    const counter = createPeriodCounter(period);
    let after: string | undefined;
    for (;;) {
      signal.throwIfAborted();
      const page = await users.listPage({ after, limit: pageSize });
      const ids = page.filter(isProcessed).map(({ userId }) => userId);
      const rows = ids.length === 0 ? [] : await deps.puffs.countByHour(ids, period);
      for (const own of groupBy(rows, ({ person }) => person).values()) counter.add(own);
      after = page.at(-1)?.userId;
      if (page.length < pageSize) return counter.metrics();
    }
  };

  return [
    defineJob({
      name: 'aggregate',
      summary: 'counts hourly and daily platform metrics without personal data',
      everyMs: hourMs,
      // Requests that were in flight when the hour ended are stored by then.
      offsetMs: 5 * minuteMs,
      progress: z.object({ periodsDone: z.number() }),
      async run({ from, to, progress, save, signal }) {
        let counted = 0;
        for (const [index, period] of periodsDue({ from, to }).entries()) {
          if (progress && index < progress.periodsDone) continue;
          const metrics = await count(period, signal);
          await store.save(metrics, clock.now() >= period.to + lateAfterMs);
          counted += metrics.length;
          await save({ periodsDone: index + 1 });
        }
        return { figures: counted };
      },
    }),
  ];
};
