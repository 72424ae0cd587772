/**
 * analytics: owns `UserStats`. It turns a person's history and settings into numbers (counts by local day, streaks,
 * boards) and never writes a puff.
 */
import type { Connection } from 'mongoose';
import type { Route } from '../../platform/http/route.ts';
import { statsRoutes } from './stats-routes.ts';
import { createStatsService, type StatsService } from './stats-service.ts';
import { createStatsStore } from './stats-store.ts';

export interface Analytics extends StatsService {
  routes: Route[];
  ensureIndexes(): Promise<void>;
}

export const createAnalytics = (
  deps: { connection: Connection } & Omit<Parameters<typeof createStatsService>[0], 'store'>,
): Analytics => {
  const store = createStatsStore(deps.connection);
  const service = createStatsService({ ...deps, store });
  return { ...service, routes: statsRoutes(service), ensureIndexes: store.ensureIndexes };
};
