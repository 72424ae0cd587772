/**
 * analytics: owns `UserStats` and the platform's figures. It turns a person's history and settings into numbers (counts by local day, streaks,
 * boards) and never writes a puff.
 */
import type { Connection } from 'mongoose';
import type { Route } from '../../platform/http/route.ts';
import type { Job } from '../../platform/jobs/job.ts';
import { figuresJobs } from './figures-jobs.ts';
import { createFigureStore } from './figures-store.ts';
import { statsJobs, type JobPeople } from './stats-jobs.ts';
import { statsRoutes } from './stats-routes.ts';
import { createStatsService, type StatsService } from './stats-service.ts';
import { createStatsStore } from './stats-store.ts';

export interface Analytics extends StatsService {
  routes: Route[];
  jobs: Job[];
  ensureIndexes(): Promise<void>;
}

export const createAnalytics = (
  deps: { connection: Connection } & Omit<Parameters<typeof createStatsService>[0], 'store'> &
    Omit<Parameters<typeof statsJobs>[0], 'settle' | 'people'> & {
      jobPeople: JobPeople;
    } & Pick<Parameters<typeof figuresJobs>[0], 'countByHour'>,
): Analytics => {
  const store = createStatsStore(deps.connection);
  const figures = createFigureStore(deps.connection);
  const service = createStatsService({ ...deps, store });
  const people = deps.jobPeople;
  return {
    ...service,
    routes: statsRoutes(service),
    jobs: [
      ...statsJobs({ people, settle: service.settle, onDayTurned: deps.onDayTurned }),
      ...figuresJobs({ store: figures, people, clock: deps.clock, countByHour: deps.countByHour }),
    ],
    async ensureIndexes() {
      for (const owned of [store, figures]) await owned.ensureIndexes();
    },
  };
};
