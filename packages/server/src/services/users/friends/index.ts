/** friends: friendships, friend requests and invites. */
import type { Connection } from 'mongoose';
import type { Clock } from '../../../platform/clock.ts';
import type { Route } from '../../../platform/http/route.ts';
import type { UserBase } from '../accounts/index.ts';
import type { CheerEnding, LiveEvents, MuteAllReader, NotificationInbox, StatsReader } from '../ports.ts';
import type { Audience } from '../sharing/audience.ts';
import type { AudienceStore } from '../sharing/audience-store.ts';
import type { FriendConnectionStore } from '../sharing/friend-connection-store.ts';
import { friendRequestRoutes } from './friend-request-routes.ts';
import { createFriendRequestService, type BlockReader } from './friend-request-service.ts';
import { createFriendRequestStore, type FriendRequestStore } from './friend-request-store.ts';
import { friendRoutes } from './friend-routes.ts';
import { createFriendService, type FriendService } from './friend-service.ts';
import { createFriendshipCreation } from './friendship-creation.ts';
import { inviteRoutes } from './invite-routes.ts';
import { createInviteService } from './invite-service.ts';
import { createInviteStore, type InviteStore } from './invite-store.ts';

export interface FriendsRoom {
  readonly routes: Route[];
  readonly friends: FriendService;
  readonly requests: FriendRequestStore;
  readonly invites: InviteStore;
}

export const createFriendsRoom = (
  deps: UserBase & {
    connection: Connection;
    connections: FriendConnectionStore;
    audiences: AudienceStore;
    audience: Audience;
    blocks: BlockReader;
    live: LiveEvents;
    inbox: NotificationInbox;
    cheers: CheerEnding;
    muteSettings: MuteAllReader;
    stats: StatsReader;
    publicUrl: string;
    clock: Clock;
  },
): FriendsRoom => {
  const requests = createFriendRequestStore(deps.connection);
  const invites = createInviteStore(deps.connection);
  const friends = createFriendService({ ...deps, store: deps.connections });
  const creation = createFriendshipCreation({ ...deps, requests, friends });
  return {
    routes: [
      ...friendRequestRoutes(createFriendRequestService({ ...deps, requests, creation })),
      ...friendRoutes(friends),
      ...inviteRoutes(createInviteService({ ...deps, invites, creation })),
    ],
    friends,
    requests,
    invites,
  };
};
