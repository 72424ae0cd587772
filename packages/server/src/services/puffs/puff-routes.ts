import { endpoints } from '@pufftrack/contract';
import { answer, route, type Route } from '../../platform/http/route.ts';
import type { PuffEditService } from './puff-edit-service.ts';
import type { PuffReadService } from './puff-read-service.ts';
import type { PuffService } from './puff-service.ts';

export const puffRoutes = (puffs: PuffService, changes: PuffEditService, reads: PuffReadService): Route[] => [
  route(endpoints.recordPuff, async ({ actor, input }) => {
    const recorded = await puffs.record(actor, input.body);
    return recorded.status === 'created' ? answer(201, recorded) : answer(200, recorded);
  }),
  route(endpoints.recordPuffBatch, async ({ actor, input }) =>
    answer(200, await puffs.recordBatch(actor, input.body.puffs)),
  ),
  route(endpoints.listPuffs, async ({ actor, input }) => answer(200, await reads.list(actor, input.query))),
  route(endpoints.listPuffChanges, async ({ actor, input }) =>
    answer(200, await reads.changes(actor, input.query)),
  ),
  route(endpoints.undoPuff, async ({ actor, input }) =>
    answer(200, await changes.undo(actor, input.body.id)),
  ),
  route(endpoints.deleteAllPuffs, async ({ actor }) => answer(200, await changes.removeAll(actor))),
  route(endpoints.editPuff, async ({ actor, input: { params, body } }) =>
    answer(200, await changes.edit(actor, params.id, body)),
  ),
  route(endpoints.deletePuff, async ({ actor, input }) =>
    answer(200, await changes.remove(actor, input.params.id)),
  ),
  route(endpoints.restorePuff, async ({ actor, input }) =>
    answer(200, await changes.restore(actor, input.params.id)),
  ),
];
