import { endpoints } from '@pufftrack/contract';
import { answer, noContent, route, type Route } from '../../../platform/http/route.ts';
import type { FriendRequests } from './friend-request-service.ts';

export const friendRequestRoutes = (requests: FriendRequests): Route[] => [
  route(endpoints.requestFriend, async ({ actor, input }) => {
    await requests.request(actor.userId, input.body);
    return answer(202, { status: 'sent' as const });
  }),
  route(endpoints.listFriendRequests, async ({ actor }) => answer(200, await requests.list(actor.userId))),
  route(endpoints.cancelFriendRequest, async ({ actor, input }) => {
    await requests.cancel(actor.userId, input.params.id);
    return noContent;
  }),
  route(endpoints.acceptFriend, async ({ actor, input: { body } }) =>
    answer(200, { friend: await requests.accept(actor, body.requestId, body.shareLevel) }),
  ),
  route(endpoints.rejectFriend, async ({ actor, input }) => {
    await requests.reject(actor.userId, input.body.requestId);
    return noContent;
  }),
];
