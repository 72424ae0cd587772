import { endpoints } from '@pufftrack/contract';
import { answer, route, type Route } from '../../../platform/http/route.ts';
import type { CheckInService } from './check-in-service.ts';

export const checkInRoutes = (checkIns: CheckInService): Route[] => [
  route(endpoints.checkIn, async ({ actor, input }) =>
    answer(200, await checkIns.checkIn(actor.userId, input.body)),
  ),
];
