import { endpoints } from '@pufftrack/contract';
import { answer, route, type Route } from '../../../platform/http/route.ts';
import type { MilestoneService } from './milestone-service.ts';

export const milestoneRoutes = (milestones: MilestoneService): Route[] => [
  route(endpoints.listMilestones, async ({ actor }) => answer(200, await milestones.list(actor.userId))),
];
