import { endpoints } from '@pufftrack/contract';
import { answer, noContent, route, type Route } from '../../../platform/http/route.ts';
import type { Blocks } from './block-service.ts';

export const blockRoutes = (blocks: Blocks): Route[] => [
  route(endpoints.blockPerson, async ({ actor, input }) => {
    await blocks.block(actor, input.body.userId);
    return noContent;
  }),
  route(endpoints.listBlocks, async ({ actor }) => answer(200, { blocks: await blocks.list(actor.userId) })),
  route(endpoints.unblockPerson, async ({ actor, input }) => {
    await blocks.unblock(actor.userId, input.params.userId);
    return noContent;
  }),
];
