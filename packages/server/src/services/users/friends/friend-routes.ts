import { endpoints } from '@pufftrack/contract';
import { answer, noContent, route, type Route } from '../../../platform/http/route.ts';
import type { Blocks } from '../safety/block-service.ts';
import type { FriendRequests } from './friend-request-service.ts';
import type { FriendService } from './friend-service.ts';
import type { Invites } from './invite-service.ts';
import type { Reports } from '../safety/report-service.ts';

export const friendRoutes = ({
  friends,
  requests,
  invites,
  blocks,
  reports,
}: {
  friends: FriendService;
  requests: FriendRequests;
  invites: Invites;
  blocks: Blocks;
  reports: Reports;
}): Route[] => [
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
  route(endpoints.listFriends, async ({ actor }) =>
    answer(200, { friends: await friends.list(actor.userId) }),
  ),
  route(endpoints.patchFriend, async ({ actor, input: { params, body } }) =>
    answer(200, { friend: await friends.change(actor, params.userId, body) }),
  ),
  route(endpoints.removeFriend, async ({ actor, input }) => {
    await friends.remove(actor, input.params.userId);
    return noContent;
  }),
  route(endpoints.createInvite, async ({ actor }) => answer(201, await invites.create(actor.userId))),
  route(endpoints.acceptInvite, async ({ actor, input: { body } }) =>
    answer(200, { friend: await invites.accept(actor, body.token, body.shareLevel) }),
  ),
  route(endpoints.blockPerson, async ({ actor, input }) => {
    await blocks.block(actor, input.body.userId);
    return noContent;
  }),
  route(endpoints.listBlocks, async ({ actor }) => answer(200, { blocks: await blocks.list(actor.userId) })),
  route(endpoints.unblockPerson, async ({ actor, input }) => {
    await blocks.unblock(actor.userId, input.params.userId);
    return noContent;
  }),
  route(endpoints.reportPerson, async ({ actor, input }) => {
    await reports.report(actor.userId, input.body);
    return answer(202, { status: 'received' as const });
  }),
];
