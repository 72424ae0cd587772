import { endpoints } from '@pufftrack/contract';
import { answer, route, type Route } from '../../../platform/http/route.ts';
import type { GetLeaderboard } from './leaderboard.ts';

export const leaderboardRoutes = (leaderboard: GetLeaderboard): Route[] => [
  route(endpoints.getLeaderboard, async ({ actor, input }) =>
    answer(200, await leaderboard(actor.userId, input.query.board)),
  ),
];
