/**
 * analytics: owns goals, check-ins, and what is derived: `UserStats`, settled runs and the platform's figures. It turns
 * a person's history and settings into numbers (counts by local day, limits, streaks, boards) and never writes a puff.
 */
import type { Connection } from 'mongoose';
import type { Route } from '../../platform/http/route.ts';
import type { Job } from '../../platform/jobs/job.ts';
import { createCalendars } from './calendars.ts';
import { createCheckInStore } from './check-in-store.ts';
import { createDetailedStats } from './detailed-stats.ts';
import { figuresJobs } from './figures-jobs.ts';
import { createFigureStore } from './figures-store.ts';
import { createGapReads } from './gap-reads.ts';
import { goalRoutes } from './goal-routes.ts';
import { createGoalService, type GoalService, type GoalServiceDeps } from './goal-service.ts';
import { createGoalStore } from './goal-store.ts';
import { createSettled } from './settled.ts';
import { createSettledStore } from './settled-store.ts';
import { statsJobs, type JobPeople } from './stats-jobs.ts';
import { statsRoutes } from './stats-routes.ts';
import { createStatsService, type StatsService, type StatsServiceDeps } from './stats-service.ts';
import { createStatsStore } from './stats-store.ts';

export interface Analytics
  extends Pick<StatsService, 'statsOf' | 'current' | 'summaries'>, Pick<GoalService, 'profileChanged'> {
  routes: Route[];
  jobs: Job[];
  ensureIndexes(): Promise<void>;
}

export const createAnalytics = (
  deps: { connection: Connection } & Omit<StatsServiceDeps, 'store' | 'calendars' | 'settled' | 'detailed'> &
    Parameters<typeof createGapReads>[0] &
    Pick<GoalServiceDeps, 'changeSettings' | 'onStatsChanged'> &
    Pick<Parameters<typeof figuresJobs>[0], 'countByHour'> &
    Pick<Parameters<typeof statsJobs>[0], 'onDayTurned'> & { jobPeople: JobPeople },
): Analytics => {
  const { connection, history } = deps;
  const store = createStatsStore(connection);
  const goals = createGoalStore(connection);
  const checkIns = createCheckInStore(connection);
  const settledStore = createSettledStore(connection);
  const figures = createFigureStore(connection);
  const people = deps.jobPeople;
  const calendars = createCalendars({ goals, checkIns });
  const settled = createSettled({ store: settledStore, history });
  const detailed = createDetailedStats({ settled, reads: createGapReads(deps) });
  const stats = createStatsService({ ...deps, store, calendars, settled, detailed });
  const goalService = createGoalService({ ...deps, goals, checkIns, calendars, statsOf: stats.statsOf });
  return {
    routes: [...statsRoutes(stats), ...goalRoutes(goalService)],
    jobs: [
      ...statsJobs({ people, settle: stats.settle, onDayTurned: deps.onDayTurned }),
      ...figuresJobs({ store: figures, people, clock: deps.clock, countByHour: deps.countByHour }),
    ],
    statsOf: stats.statsOf,
    current: stats.current,
    summaries: stats.summaries,
    profileChanged: goalService.profileChanged,
    async ensureIndexes() {
      for (const owned of [store, goals, checkIns, settledStore, figures]) await owned.ensureIndexes();
    },
  };
};
