/**
 * analytics: owns goals, check-ins, and what is derived: `UserStats` and settled runs. It turns a person's history and
 * settings into numbers (counts by local day, limits, streaks, boards) and never writes a puff.
 */
import type { Connection } from 'mongoose';
import type { Route } from '../../platform/http/route.ts';
import { createCalendars } from './calendars.ts';
import { createCheckInStore } from './check-in-store.ts';
import { goalRoutes } from './goal-routes.ts';
import { createGoalService, type GoalService, type GoalServiceDeps } from './goal-service.ts';
import { createGoalStore } from './goal-store.ts';
import { createSettled } from './settled.ts';
import { createSettledStore } from './settled-store.ts';
import { statsRoutes } from './stats-routes.ts';
import { createStatsService, type StatsService, type StatsServiceDeps } from './stats-service.ts';
import { createStatsStore } from './stats-store.ts';

export interface Analytics
  extends Pick<StatsService, 'statsOf' | 'current' | 'summaries'>, Pick<GoalService, 'profileChanged'> {
  routes: Route[];
  ensureIndexes(): Promise<void>;
}

export const createAnalytics = (
  deps: { connection: Connection } & Omit<StatsServiceDeps, 'store' | 'calendars' | 'settled'> &
    Pick<GoalServiceDeps, 'changeSettings' | 'onStatsChanged'>,
): Analytics => {
  const { connection, history } = deps;
  const store = createStatsStore(connection);
  const goals = createGoalStore(connection);
  const checkIns = createCheckInStore(connection);
  const settledStore = createSettledStore(connection);
  const calendars = createCalendars({ goals, checkIns });
  const settled = createSettled({ store: settledStore, history });
  const stats = createStatsService({ ...deps, store, calendars, settled });
  const goalService = createGoalService({ ...deps, goals, checkIns, calendars, statsOf: stats.statsOf });
  return {
    routes: [...statsRoutes(stats), ...goalRoutes(goalService)],
    statsOf: stats.statsOf,
    current: stats.current,
    summaries: stats.summaries,
    profileChanged: goalService.profileChanged,
    async ensureIndexes() {
      for (const owned of [store, goals, checkIns, settledStore]) await owned.ensureIndexes();
    },
  };
};
