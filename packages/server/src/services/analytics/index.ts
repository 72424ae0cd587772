/**
 * analytics: turns the puffs and the settings of a user into numbers: counts by local day, limits, streaks, averages and
 * boards. Owns goals, check-ins, board baselines, platform metrics, and the derived collections of stored stats and
 * settled runs. It never writes a puff.
 *
 * Imports between its rooms point one way:
 *   ports <- days <- goals (with the calendar) <- streaks <- stats <- read-model, and goals <- boards <- read-model.
 * `platform-metrics` uses ports alone.
 */
import type { Connection } from 'mongoose';
import type { Clock } from '../../platform/clock.ts';
import type { Route } from '../../platform/http/route.ts';
import type { Job } from '../../platform/scheduler/job.ts';
import { createBoardBaselineStore } from './boards/board-baseline-store.ts';
import { createBoardBaselines } from './boards/board-baselines.ts';
import { leaderboardRoutes } from './boards/leaderboard-routes.ts';
import { createLeaderboard } from './boards/leaderboard.ts';
import { checkInRoutes } from './days/check-in-routes.ts';
import { createCheckInService } from './days/check-in-service.ts';
import { createCheckInStore } from './days/check-in-store.ts';
import { createCalendarCache } from './goals/calendar-cache.ts';
import { goalRoutes } from './goals/goal-routes.ts';
import { createGoalService } from './goals/goal-service.ts';
import { createGoalStore } from './goals/goal-store.ts';
import { platformMetricsJobs } from './platform-metrics/platform-metrics-jobs.ts';
import { createPlatformMetricsStore } from './platform-metrics/platform-metrics-store.ts';
import type { LiveEvents, PuffHistories, SharingPolicy, StatsPerson, UserDirectory } from './ports.ts';
import { dayRolloverJobs } from './read-model/day-rollover-jobs.ts';
import { createStatsReadModel, type StatsReadModel } from './read-model/stats-read-model.ts';
import { createUserStatsStore } from './read-model/user-stats-store.ts';
import { createDetailedStats } from './stats/detailed-stats.ts';
import { statsRoutes } from './stats/stats-routes.ts';
import { createStatsService, type StatsService } from './stats/stats-service.ts';
import { createGapReader } from './streaks/gap-reader.ts';
import { createSettledRunsCache } from './streaks/settled-runs-cache.ts';
import { createSettledRunsStore } from './streaks/settled-runs-store.ts';
import { createStreakReader, type StreakReader } from './streaks/streak-reader.ts';

export { RolloverProgress, walkDayRollover, type RolloverPeople } from './days/day-rollover-walk.ts';
export { compactGoalHistories } from './goals/goal-compaction-migration.ts';
export type { StreakDays, StreakKind } from './streaks/streak-days.ts';
export type { DaysMissing, StreakPerson, StreakReader } from './streaks/streak-reader.ts';
export type { DayInRun } from './streaks/streaks.ts';

/** The settings of a profile that the numbers depend on. */
const statsFields: readonly string[] = ['timeZone', 'dayStartHour', 'weekStart'];

export interface Analytics
  extends Pick<StatsService, 'statsOf' | 'current'>, Pick<StatsReadModel, 'summaries'> {
  routes: Route[];
  jobs: Job[];
  /** The days of users as streaks count them. */
  streaks: StreakReader;
  /** Publishes new numbers where they depend on one of the changed fields of the profile. */
  profileChanged(person: StatsPerson, fields: readonly string[]): Promise<void>;
  /** Evicts a deleted account from the caches of this process. */
  forgetUser(userId: string): void;
  /** Deletes all rows of this person and returns their number. Safe to repeat. */
  eraseUser(userId: string): Promise<number>;
  ensureIndexes(): Promise<void>;
}

export const createAnalytics = (deps: {
  connection: Connection;
  clock: Clock;
  users: UserDirectory;
  sharing: SharingPolicy;
  puffs: PuffHistories;
  live: LiveEvents;
}): Analytics => {
  const { connection } = deps;
  const userStats = createUserStatsStore(connection);
  const goals = createGoalStore(connection);
  const checkIns = createCheckInStore(connection);
  const settledRuns = createSettledRunsStore(connection);
  const boardBaselines = createBoardBaselineStore(connection);
  const platformMetrics = createPlatformMetricsStore(connection);
  const calendars = createCalendarCache({ goals, checkIns });
  const settled = createSettledRunsCache({ ...deps, store: settledRuns });
  const detailed = createDetailedStats({ settled, gapReader: createGapReader(deps) });
  const stats = createStatsService({ ...deps, calendars, settled, detailed });
  const baselines = createBoardBaselines({ ...deps, store: boardBaselines });
  const readModel = createStatsReadModel({ ...deps, store: userStats, calendars, settled, baselines });
  const commands = { ...deps, goals, checkIns, calendars, publishStats: stats.publish };
  return {
    routes: [
      ...statsRoutes(stats),
      ...leaderboardRoutes(createLeaderboard({ ...deps, boardScores: readModel.boardScores })),
      ...goalRoutes(createGoalService(commands)),
      ...checkInRoutes(createCheckInService(commands)),
    ],
    jobs: [
      ...dayRolloverJobs({ ...deps, refreshStored: readModel.refreshStored }),
      ...platformMetricsJobs({ ...deps, store: platformMetrics }),
    ],
    streaks: createStreakReader({ ...deps, calendars, settled }),
    statsOf: stats.statsOf,
    current: stats.current,
    summaries: readModel.summaries,
    async profileChanged(person, fields) {
      if (fields.some((field) => statsFields.includes(field))) await stats.publish(person);
    },
    forgetUser(userId) {
      for (const cache of [calendars, settled, baselines]) cache.evict(userId);
    },
    async eraseUser(userId) {
      let removed = 0;
      for (const owned of [goals, checkIns, userStats, settledRuns, boardBaselines])
        removed += await owned.removeAll(userId);
      return removed;
    },
    async ensureIndexes() {
      for (const owned of [userStats, goals, checkIns, settledRuns, boardBaselines, platformMetrics])
        await owned.ensureIndexes();
    },
  };
};
