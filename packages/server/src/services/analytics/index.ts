/**
 * analytics: owns goals, check-ins, frozen baselines, and what is derived: `UserStats`, settled runs and the platform's
 * figures. It turns a person's history and settings into numbers (counts by local day, limits, streaks, boards) and never
 * writes a puff.
 */
import type { Connection } from 'mongoose';
import type { Route } from '../../platform/http/route.ts';
import type { Job } from '../../platform/scheduler/job.ts';
import { createBoardBaselines } from './boards/board-baselines.ts';
import { createBoardBaselineStore } from './boards/board-baseline-store.ts';
import { createCalendarCache } from './goals/calendar-cache.ts';
import { createCheckInStore } from './days/check-in-store.ts';
import { createDetailedStats } from './stats/detailed-stats.ts';
import { platformMetricsJobs } from './platform-metrics/platform-metrics-jobs.ts';
import { createPlatformMetricsStore } from './platform-metrics/platform-metrics-store.ts';
import { createGapReader } from './streaks/gap-reader.ts';
import { goalRoutes } from './goals/goal-routes.ts';
import { createGoalService, type GoalService, type GoalServiceDeps } from './goals/goal-service.ts';
import { createGoalStore } from './goals/goal-store.ts';
import { createLeaderboard, type LeaderboardDeps } from './boards/leaderboard.ts';
import { createSettledRunsCache } from './streaks/settled-runs-cache.ts';
import { createSettledRunsStore } from './streaks/settled-runs-store.ts';
import { createStreakReader, type StreakReader } from './streaks/streak-reader.ts';
import { statsJobs, type JobPeople } from './read-model/day-rollover-jobs.ts';
import {
  createStatsReadModel,
  type StatsReadModel,
  type StatsReadModelDeps,
} from './read-model/stats-read-model.ts';
import { statsRoutes } from './stats/stats-routes.ts';
import { createStatsService, type StatsService, type StatsServiceDeps } from './stats/stats-service.ts';
import { createUserStatsStore } from './read-model/user-stats-store.ts';

export { todayOf } from './goals/calendar.ts';
export type { DaysMissing, StreakPerson, StreakReader } from './streaks/streak-reader.ts';
export type { StreakDays, StreakKind } from './streaks/streak-days.ts';
export type { DayInRun } from './streaks/streaks.ts';
export { compactGoalHistories } from './goals/goal-compaction-migration.ts';
export { RolloverProgress, walkDayRollover, type RolloverPeople } from './days/day-rollover-walk.ts';

export interface Analytics
  extends
    Pick<StatsService, 'statsOf' | 'current'>,
    Pick<StatsReadModel, 'summaries'>,
    Pick<GoalService, 'profileChanged'> {
  routes: Route[];
  jobs: Job[];
  /** The streak days of people, for what is awarded for streaks. */
  streaks: StreakReader;
  /** Drops what this process holds of a person whose account is gone. */
  forgetUser(userId: string): void;
  /** Deletes all of this very person; answers how many rows there were. Safe to repeat. */
  eraseUser(userId: string): Promise<number>;
  ensureIndexes(): Promise<void>;
}

export const createAnalytics = (
  deps: { connection: Connection } & Omit<StatsServiceDeps, 'calendars' | 'settled' | 'detailed'> &
    Pick<StatsReadModelDeps, 'newestRevs' | 'histories'> &
    Pick<LeaderboardDeps, 'boardFriendsOf'> &
    Parameters<typeof createGapReader>[0] &
    Pick<GoalServiceDeps, 'changeSettings' | 'onStatsChanged'> &
    Pick<Parameters<typeof platformMetricsJobs>[0], 'countByHour'> &
    Pick<Parameters<typeof statsJobs>[0], 'onDayTurned'> & { jobPeople: JobPeople },
): Analytics => {
  const { connection, clock, history } = deps;
  const store = createUserStatsStore(connection);
  const goals = createGoalStore(connection);
  const checkIns = createCheckInStore(connection);
  const settledStore = createSettledRunsStore(connection);
  const baselineStore = createBoardBaselineStore(connection);
  const figures = createPlatformMetricsStore(connection);
  const people = deps.jobPeople;
  const calendars = createCalendarCache({ goals, checkIns });
  const settled = createSettledRunsCache({ store: settledStore, history });
  const detailed = createDetailedStats({ settled, reads: createGapReader(deps) });
  const stats = createStatsService({ ...deps, calendars, settled, detailed });
  const baselines = createBoardBaselines({ store: baselineStore, clock, history });
  const readModel = createStatsReadModel({ ...deps, store, calendars, settled, baselines });
  const leaderboard = createLeaderboard({ ...deps, standings: readModel.standings });
  const goalService = createGoalService({ ...deps, goals, checkIns, calendars, statsOf: stats.statsOf });
  return {
    routes: [...statsRoutes(stats, leaderboard), ...goalRoutes(goalService)],
    jobs: [
      ...statsJobs({
        people,
        settle: readModel.settle,
        onDayTurned: deps.onDayTurned,
      }),
      ...platformMetricsJobs({ store: figures, people, clock, countByHour: deps.countByHour }),
    ],
    streaks: createStreakReader({ ...deps, calendars, settled }),
    statsOf: stats.statsOf,
    current: stats.current,
    summaries: readModel.summaries,
    profileChanged: goalService.profileChanged,
    forgetUser(userId) {
      calendars.forget(userId);
      settled.forget(userId);
      baselines.forget(userId);
    },
    async eraseUser(userId) {
      let removed = 0;
      for (const owned of [goals, checkIns, store, settledStore, baselineStore])
        removed += await owned.removeAll(userId);
      return removed;
    },
    async ensureIndexes() {
      for (const owned of [store, goals, checkIns, settledStore, baselineStore, figures])
        await owned.ensureIndexes();
    },
  };
};
