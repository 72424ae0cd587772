import { endpoints } from '@pufftrack/contract';
import { answer, noContent, route, type Route } from '../../../platform/http/route.ts';
import type { GhostService } from './ghost-service.ts';

export const ghostRoutes = (ghosts: GhostService): Route[] => [
  route(endpoints.putGhost, async ({ actor, input }) =>
    answer(200, await ghosts.begin(actor.userId, input.body.until)),
  ),
  route(endpoints.deleteGhost, async ({ actor }) => {
    await ghosts.end(actor.userId);
    return noContent;
  }),
];
