import { endpoints } from '@pufftrack/contract';
import { answer, route, type Route } from '../../../platform/http/route.ts';
import type { StatsService } from './stats-service.ts';

export const statsRoutes = (stats: StatsService): Route[] => [
  route(endpoints.getStats, async ({ actor }) => answer(200, await stats.detailed(actor.userId))),
  route(endpoints.getStatsDays, async ({ actor, input }) =>
    answer(200, { days: await stats.days(actor.userId, input.query) }),
  ),
  route(endpoints.getStatsHours, async ({ actor, input }) =>
    answer(200, await stats.hours(actor.userId, input.query.days)),
  ),
];
