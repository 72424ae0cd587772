import { endpoints } from '@pufftrack/contract';
import { answer, noContent, route, type Route } from '../../../platform/http/route.ts';
import type { FriendService } from './friend-service.ts';

export const friendRoutes = (friends: FriendService): Route[] => [
  route(endpoints.listFriends, async ({ actor }) =>
    answer(200, { friends: await friends.reads.friendsOf(actor.userId) }),
  ),
  route(endpoints.patchFriend, async ({ actor, input: { params, body } }) =>
    answer(200, { friend: await friends.change(actor, params.userId, body) }),
  ),
  route(endpoints.removeFriend, async ({ actor, input }) => {
    await friends.remove(actor, input.params.userId);
    return noContent;
  }),
];
