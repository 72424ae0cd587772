import { endpoints } from '@pufftrack/contract';
import { noContent, route, type Route } from '../../../platform/http/route.ts';
import type { CheerService } from './cheer-service.ts';

export const cheerRoutes = (cheers: CheerService): Route[] => [
  route(endpoints.cheerMilestone, async ({ actor, input: { params, body } }) => {
    await cheers.cheer(actor.userId, params.id, body.kind);
    return noContent;
  }),
  route(endpoints.removeCheer, async ({ actor, input: { params, query } }) => {
    await cheers.remove(actor.userId, params.id, query.kind);
    return noContent;
  }),
];
