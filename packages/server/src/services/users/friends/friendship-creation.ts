import type { Friend, ShareLevel } from '@pufftrack/contract';
import type { ClientSession } from 'mongoose';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { requireConsents } from '../consents/consent.ts';
import type { UserSettings } from '../accounts/user.ts';
import type { UserSettingsCache } from '../accounts/user-settings-cache.ts';
import type { UserStore } from '../accounts/user-store.ts';
import type { NotificationInbox } from '../ports.ts';
import type { Audience } from '../sharing/audience.ts';
import type { AudienceStore } from '../sharing/audience-store.ts';
import type { FriendConnectionStore } from '../sharing/friend-connection-store.ts';
import { newSide, type Friendship } from '../sharing/friendship.ts';
import type { FriendRequestStore } from './friend-request-store.ts';
import type { FriendService } from './friend-service.ts';

const maxFriends = 200;

/** What a friend request or an invite offers; `shareLevel` null: the default of its sender. */
export interface FriendshipOffer {
  readonly from: string;
  readonly shareLevel: ShareLevel | null;
}

/** How two users become friends, by a friend request or by an invite. */
export interface FriendshipCreation {
  /** Throws `consent-required` without `friends-sharing`, or `account-gone`. */
  requireSharingConsent(userId: string): Promise<UserSettings>;
  hasRoom(userId: string, tx: ClientSession): Promise<boolean>;
  /** Part of the transaction that accepts the offer. Throws `conflict` where one of the two has 200 friends. */
  create(
    offer: FriendshipOffer,
    accepter: UserSettings,
    shareLevel: ShareLevel | undefined,
    tx: ClientSession,
  ): Promise<Friendship>;
  /**
   * After that transaction: sends the new friend to the open sockets of both, except to the session of the accepter, and
   * returns the friend as the accepter sees them.
   */
  announce(
    friendship: Friendship,
    accepter: { readonly userId: string; readonly sessionId?: string },
    sender: string,
  ): Promise<Friend>;
}

export const createFriendshipCreation = (deps: {
  users: Pick<UserStore, 'find'>;
  userSettings: UserSettingsCache;
  connections: FriendConnectionStore;
  requests: Pick<FriendRequestStore, 'acceptAllBetween'>;
  audiences: Pick<AudienceStore, 'markChanged'>;
  audience: Audience;
  friends: Pick<FriendService, 'show' | 'view'>;
  inbox: Pick<NotificationInbox, 'notify'>;
  clock: Clock;
}): FriendshipCreation => {
  const { users, connections, friends } = deps;

  const hasRoom: FriendshipCreation['hasRoom'] = async (userId, tx) =>
    (await connections.count(userId, tx)) < maxFriends;

  return {
    hasRoom,
    async requireSharingConsent(userId) {
      const user = await deps.userSettings.get(userId);
      requireConsents(user, ['friends-sharing']);
      return user;
    },
    async create(offer, accepter, shareLevel, tx) {
      // Two new friendships of one user conflict here, so that the later one counts the earlier one.
      await deps.audiences.markChanged([offer.from, accepter.userId], tx);
      for (const userId of [offer.from, accepter.userId])
        if (!(await hasRoom(userId, tx)))
          throw new DomainError('conflict', {
            detail: `One of the two users has the maximum of ${maxFriends} friends.`,
          });
      const [sender, me] = [await users.find(offer.from, tx), await users.find(accepter.userId, tx)];
      if (!sender || !me) throw noRequest();
      const now = deps.clock.now();
      const friendship: Friendship = {
        since: now,
        sides: [
          newSide(sender.userId, offer.shareLevel ?? sender.defaultShareLevel, now),
          newSide(accepter.userId, shareLevel ?? accepter.defaultShareLevel, now),
        ],
      };
      await connections.open(friendship, tx);
      await deps.requests.acceptAllBetween(sender.userId, accepter.userId, tx);
      await deps.inbox.notify(tx, sender.userId, { kind: 'friend-accepted', friend: accepter });
      return friendship;
    },
    async announce(friendship, { userId, sessionId }, sender) {
      await deps.audience.refresh([userId, sender]);
      await friends.show(sender, userId);
      await friends.show(userId, sender, sessionId);
      return friends.view(friendship, userId);
    },
  };
};

export const noRequest = (): DomainError =>
  new DomainError('not-found', { detail: 'No such friend request was sent to the caller.' });
