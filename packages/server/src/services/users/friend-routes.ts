import { endpoints } from '@pufftrack/contract';
import { answer, noContent, route, type Route } from '../../platform/http/route.ts';
import type { FriendRequests } from './friend-request-service.ts';
import type { FriendService } from './friend-service.ts';

export const friendRoutes = (friends: FriendService, requests: FriendRequests): Route[] => [
  route(endpoints.requestFriend, async ({ actor, input }) => {
    await requests.request(actor.userId, input.body);
    return answer(202, { status: 'sent' as const });
  }),
  route(endpoints.listFriendRequests, async ({ actor }) => answer(200, await requests.list(actor.userId))),
  route(endpoints.acceptFriend, async ({ actor, input: { body } }) =>
    answer(200, { friend: await requests.accept(actor.userId, body.requestId, body.shareLevel) }),
  ),
  route(endpoints.rejectFriend, async ({ actor, input }) => {
    await requests.reject(actor.userId, input.body.requestId);
    return noContent;
  }),
  route(endpoints.listFriends, async ({ actor }) =>
    answer(200, { friends: await friends.list(actor.userId) }),
  ),
  route(endpoints.patchFriend, async ({ actor, input: { params, body } }) =>
    answer(200, { friend: await friends.change(actor.userId, params.userId, body) }),
  ),
  route(endpoints.removeFriend, async ({ actor, input }) => {
    await friends.remove(actor.userId, input.params.userId);
    return noContent;
  }),
];
