import { z } from 'zod';
import { groupBy } from '../../../platform/group-by.ts';
import type { Clock } from '../../../platform/clock.ts';
import { defineJob, type Job } from '../../../platform/scheduler/job.ts';
import { dayMs, hourMs, minuteMs } from '../../../domain/durations.ts';
import type { Window } from '../../../platform/scheduler/schedule.ts';
import { lateAfterMs, type PersonHour } from '../../puffs/index.ts';
import { isProcessed } from '../../users/index.ts';
import { createPeriodCounter, type Period } from './platform-metrics.ts';
import type { PlatformMetricsStore } from './platform-metrics-store.ts';
import type { JobPeople } from '../read-model/day-rollover-jobs.ts';

/** People whose logs are read with one question. */
const pageSize = 500;

/**
 * What a run counts: the hours and days of UTC that ended in its window, and the days that nothing can change any more
 * since its window. A day brings its hours with it. Oldest first.
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

/** The multiples of `stepMs` after `from`, up to and with `to`. */
const endsIn = (stepMs: number, from: number, to: number): number[] => {
  const ends: number[] = [];
  for (let end = (Math.floor(from / stepMs) + 1) * stepMs; end <= to; end += stepMs) ends.push(end);
  return ends;
};

/** The platform's figures, counted from the log itself: each run writes what is, so any may be repeated. */
export const platformMetricsJobs = (deps: {
  store: PlatformMetricsStore;
  people: JobPeople;
  clock: Clock;
  /** puffs: what these people did, by hour of UTC and product. */
  countByHour: (people: readonly string[], window: Window) => Promise<PersonHour[]>;
}): Job[] => {
  const { store, people, clock } = deps;

  const count = async (period: Period, signal: AbortSignal) => {
    const counting = createPeriodCounter(period);
    let after: string | undefined;
    for (;;) {
      signal.throwIfAborted();
      const page = await people.listPage({ after, limit: pageSize });
      const ids = page.filter(isProcessed).map(({ userId }) => userId);
      const rows = ids.length === 0 ? [] : await deps.countByHour(ids, period);
      for (const own of groupBy(rows, ({ person }) => person).values()) counting.add(own);
      after = page.at(-1)?.userId;
      if (page.length < pageSize) return counting.figures();
    }
  };

  return [
    defineJob({
      name: 'aggregate',
      summary: 'hourly and daily figures of the platform, without a word about a person',
      everyMs: hourMs,
      // What was on its way when the hour ended is in the log by then.
      offsetMs: 5 * minuteMs,
      progress: z.object({ periodsDone: z.number() }),
      async run({ from, to, progress, save, signal }) {
        let counted = 0;
        for (const [index, period] of periodsDue({ from, to }).entries()) {
          if (progress && index < progress.periodsDone) continue;
          const figures = await count(period, signal);
          await store.save(figures, clock.now() >= period.to + lateAfterMs);
          counted += figures.length;
          await save({ periodsDone: index + 1 });
        }
        return { figures: counted };
      },
    }),
  ];
};
