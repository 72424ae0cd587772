import { endpoints } from '@pufftrack/contract';
import { answer, route, type Route } from '../../platform/http/route.ts';
import type { PuffService } from './puff-service.ts';

export const puffRoutes = (puffs: PuffService): Route[] => [
  route(endpoints.recordPuff, async ({ actor, input }) => {
    const recorded = await puffs.record(actor, input.body);
    return recorded.status === 'created' ? answer(201, recorded) : answer(200, recorded);
  }),
  route(endpoints.recordPuffBatch, async ({ actor, input }) =>
    answer(200, await puffs.recordBatch(actor, input.body.puffs)),
  ),
  route(endpoints.listPuffs, async ({ actor, input }) => answer(200, await puffs.list(actor, input.query))),
];
