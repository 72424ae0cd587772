import type { UserStats } from '@pufftrack/contract';
import { hourMs, minuteMs } from '../../../domain/durations.ts';
import { defineJob, type Job } from '../../../platform/scheduler/job.ts';
import { RolloverProgress, walkDayRollover } from '../days/day-rollover-walk.ts';
import type { LiveEvents, ProcessedPerson, UserDirectory } from '../ports.ts';
import type { StatsReadModel } from './stats-read-model.ts';

/**
 * The jobs of the day rollover. They end nothing: days and streaks are derived on every read. They keep the stored
 * `UserStats` of inactive users in step with the calendar (docs/adr/0008-job-scheduler.md).
 */
export const dayRolloverJobs = (deps: {
  users: UserDirectory;
  refreshStored: StatsReadModel['refreshStored'];
  live: LiveEvents;
}): Job[] => {
  const { users, live } = deps;

  const refresh =
    (onRefreshed: (stats: UserStats) => void) =>
    async (page: readonly ProcessedPerson[]): Promise<number> => {
      const refreshed = await deps.refreshStored(page);
      refreshed.forEach(onRefreshed);
      return refreshed.length;
    };

  return [
    defineJob({
      name: 'daily-stats',
      summary: 'at the day rollover of users: stores the stats of the new day and sends them to open sockets',
      everyMs: 15 * minuteMs,
      offsetMs: 0,
      progress: RolloverProgress,
      run: (run) =>
        walkDayRollover(run, {
          people: users,
          delayMs: 0,
          work: refresh(live.statsChanged),
        }),
    }),
    defineJob({
      name: 'streak-updates',
      summary: 'an hour after the day rollover: stores the streaks with the puffs that were received late',
      everyMs: 15 * minuteMs,
      offsetMs: 5 * minuteMs,
      progress: RolloverProgress,
      // The late puffs have sent `statsUpdate` themselves.
      run: (run) => walkDayRollover(run, { people: users, delayMs: hourMs, work: refresh(() => undefined) }),
    }),
  ];
};
