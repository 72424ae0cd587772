import { endpoints } from '@pufftrack/contract';
import { route, type Route } from '../../platform/http/route.ts';
import type { PuffService } from './puff-service.ts';

export const puffRoutes = (puffs: PuffService): Route[] => [
  route(endpoints.recordPuff, async ({ actor, input }) => {
    const body = await puffs.record(actor, input.body);
    return { status: body.status === 'created' ? 201 : 200, body };
  }),
  route(endpoints.recordPuffBatch, async ({ actor, input }) => ({
    status: 200,
    body: await puffs.recordBatch(actor, input.body.puffs),
  })),
  route(endpoints.listPuffs, async ({ actor, input }) => ({
    status: 200,
    body: await puffs.list(actor, input.query),
  })),
];
