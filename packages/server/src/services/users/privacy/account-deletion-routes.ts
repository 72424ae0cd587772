import { endpoints } from '@pufftrack/contract';
import { answer, route, type Route } from '../../../platform/http/route.ts';
import { accountGone } from '../accounts/user.ts';
import type { ErasureService } from './erasure-service.ts';

export const accountDeletionRoutes = (erasures: Pick<ErasureService, 'begin'>): Route[] => [
  route(endpoints.deleteMe, async ({ actor, input, log }) => {
    const { authorizationCode } = input.body;
    const begun = await erasures.begin(actor.userId, { authorizationCode, log });
    return answer(202, begun ?? accountGone());
  }),
];
