import { endpoints } from '@pufftrack/contract';
import { answer, noContent, route, type Route } from '../../../platform/http/route.ts';
import type { CheerService } from '../cheers/cheer-service.ts';
import type { MilestoneService } from './milestone-service.ts';

export const milestoneRoutes = (milestones: MilestoneService, cheers: CheerService): Route[] => [
  route(endpoints.listMilestones, async ({ actor }) => answer(200, await milestones.list(actor.userId))),
  route(endpoints.cheerMilestone, async ({ actor, input: { params, body } }) => {
    await cheers.cheer(actor.userId, params.id, body.kind);
    return noContent;
  }),
  route(endpoints.removeCheer, async ({ actor, input: { params, query } }) => {
    await cheers.takeBack(actor.userId, params.id, query.kind);
    return noContent;
  }),
];
