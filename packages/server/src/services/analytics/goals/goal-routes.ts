import { endpoints } from '@pufftrack/contract';
import { answer, route, type Route } from '../../../platform/http/route.ts';
import type { GoalService } from './goal-service.ts';

export const goalRoutes = (goals: GoalService): Route[] => [
  route(endpoints.getGoal, async ({ actor }) => answer(200, await goals.get(actor.userId))),
  route(endpoints.putGoal, async ({ actor, input }) =>
    answer(200, await goals.set(actor.userId, input.body)),
  ),
];
