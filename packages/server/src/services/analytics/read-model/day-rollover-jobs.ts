import type { Purpose, UserStats } from '@pufftrack/contract';
import { defineJob, type Job } from '../../../platform/scheduler/job.ts';
import { hourMs, minuteMs } from '../../../domain/durations.ts';
import { RolloverProgress, walkDayRollover, type RolloverPeople } from '../days/day-rollover-walk.ts';
import type { StatsReadModel } from './stats-read-model.ts';
import type { StatsPerson } from '../stats/stats-service.ts';

/** A person as the jobs need them; users gives it. */
export interface JobPerson extends StatsPerson {
  readonly consents: ReadonlySet<Purpose>;
}

export type JobPeople = RolloverPeople<JobPerson>;

/**
 * The jobs of a local day's turn. Nothing is ended by them: days and streaks are derived whenever somebody asks.
 * They keep the stored `UserStats` of people who do not ask in step with the calendar (docs/adr/0008-jobs-of-our-own.md).
 */
export const statsJobs = (deps: {
  people: JobPeople;
  settle: StatsReadModel['settle'];
  /** Numbers changed though nothing was recorded: the day turned. */
  onDayTurned: (stats: UserStats) => void;
}): Job[] => {
  const { people } = deps;

  const settleAnd =
    (onSettled: (stats: UserStats) => void) =>
    async (page: readonly JobPerson[]): Promise<number> => {
      const all = await deps.settle(page);
      all.forEach(onSettled);
      return all.length;
    };

  return [
    defineJob({
      name: 'daily-stats',
      summary: 'as a local day turns: stores the new day of its people, and tells those who are connected',
      everyMs: 15 * minuteMs,
      offsetMs: 0,
      progress: RolloverProgress,
      run: (run) => walkDayRollover(run, { people, delayMs: 0, work: settleAnd(deps.onDayTurned) }),
    }),
    defineJob({
      name: 'streak-updates',
      summary: 'an hour after a local day is over: stores the streaks with the puffs that phones sent late',
      everyMs: 15 * minuteMs,
      offsetMs: 5 * minuteMs,
      progress: RolloverProgress,
      // Whoever sent something late got `statsUpdate` for it then.
      run: (run) => walkDayRollover(run, { people, delayMs: hourMs, work: settleAnd(() => undefined) }),
    }),
  ];
};
