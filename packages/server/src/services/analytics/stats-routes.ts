import { endpoints } from '@pufftrack/contract';
import { route, type Route } from '../../platform/http/route.ts';
import type { StatsService } from './stats-service.ts';

export const statsRoutes = (stats: StatsService): Route[] => [
  route(endpoints.getStats, async ({ actor }) => ({ status: 200, body: await stats.current(actor.userId) })),
  route(endpoints.getLeaderboard, async ({ actor, input }) => ({
    status: 200,
    body: await stats.leaderboard(actor.userId, input.query.board),
  })),
];
