import type { Friend, ShareLevel } from '@pufftrack/contract';
import type { ClientSession, Connection } from 'mongoose';
import type { Actor } from '../../../platform/edge/actor.ts';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { newId } from '../../../platform/ids.ts';
import { quotaExceeded, quotaWindowMs, requireDailyQuota } from '../../../platform/limits/daily-quota.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import { createKeyedMutex } from '../../../platform/concurrency/keyed-mutex.ts';
import type { Audience } from '../sharing/audience.ts';
import type { AudienceStore } from '../sharing/audience-store.ts';
import type { BlockStore } from '../safety/block-store.ts';
import { normaliseFriendCode } from './friend-code.ts';
import type { Notify } from '../../notifications/index.ts';
import type { FriendConnectionStore } from './friend-connection-store.ts';
import type { FriendRequestStore } from './friend-request-store.ts';
import type { FriendService } from './friend-service.ts';
import { newSide, type Friendship } from './friendship.ts';
import type { HideName } from '../safety/hide-name.ts';
import type { UserSettingsCache } from '../accounts/user-settings-cache.ts';
import { requireConsents, type PersonSettings } from '../accounts/user.ts';
import type { UserStore } from '../accounts/user-store.ts';

const dayMs = 86_400_000;
const requestLivesMs = 30 * dayMs;
const declineHoldsMs = 30 * dayMs;
const maxSentPerDay = 20;
const maxPending = 20;
const maxFriends = 200;
/** As many as could become friends. Beyond it a request is not delivered, which its sender cannot tell. */
const maxReceived = 200;

export interface FriendRequests {
  /** Always the same answer: whether the code is somebody's cannot be told from it (domain.md D10). */
  request(userId: string, input: { friendCode: string; shareLevel?: ShareLevel | undefined }): Promise<void>;
  list(userId: string): Promise<{
    received: { id: string; from: { userId: string; name: string | null }; createdAt: string }[];
    sent: { id: string; friendCode: string; createdAt: string; expiresAt: string }[];
  }>;
  accept(actor: Actor, requestId: string, shareLevel: ShareLevel | undefined): Promise<Friend>;
  reject(userId: string, requestId: string): Promise<void>;
  cancel(userId: string, requestId: string): Promise<void>;
}

/** What somebody offered who is to become a friend; `shareLevel` null: their default. */
export interface Offer {
  readonly from: string;
  readonly shareLevel: ShareLevel | null;
}

/** How two people become friends, whatever brought them together. */
export interface FriendshipCreation {
  /** Who may become a friend. Throws `consent-required` or `account-gone`. */
  requireSharingConsent(userId: string): Promise<PersonSettings>;
  /** Inside the transaction that takes the offer. Throws `conflict` where one of them has no room. */
  befriend(
    offer: Offer,
    accepter: PersonSettings,
    shareLevel: ShareLevel | undefined,
    tx: ClientSession,
  ): Promise<Friendship>;
  /** After it; answers the new friend as the accepter sees them. Their session, where one is named, is not told besides. */
  announce(
    friendship: Friendship,
    accepter: { readonly userId: string; readonly sessionId?: string },
    sender: string,
  ): Promise<Friend>;
}

export const createFriendRequests = (deps: {
  connection: Connection;
  users: UserStore;
  requests: FriendRequestStore;
  connections: FriendConnectionStore;
  blocks: Pick<BlockStore, 'isBetween'>;
  audiences: Pick<AudienceStore, 'move'>;
  audience: Audience;
  friends: FriendService;
  userSettings: UserSettingsCache;
  /** Puts something into a person's inbox, inside the transaction. */
  notify: Notify;
  hideName: HideName;
  clock: Clock;
}): FriendRequests & FriendshipCreation => {
  const {
    connection,
    users,
    requests,
    connections,
    blocks,
    audiences,
    friends,
    userSettings,
    notify,
    clock,
  } = deps;

  const requesterMutex = createKeyedMutex(clock);
  const friendCodeMutex = createKeyedMutex(clock);

  const requireSharingConsent = async (userId: string): Promise<PersonSettings> => {
    const person = await userSettings.get(userId);
    requireConsents(person, ['friends-sharing']);
    return person;
  };

  const hasRoom = async (person: string, tx: ClientSession): Promise<boolean> =>
    (await connections.count(person, tx)) < maxFriends;

  const befriend: FriendshipCreation['befriend'] = async (offer, accepter, shareLevel, tx) => {
    // Of two friendships of one person at once, the later one runs again here, and counts the earlier.
    await audiences.move([offer.from, accepter.userId], tx);
    for (const person of [offer.from, accepter.userId])
      if (!(await hasRoom(person, tx)))
        throw new DomainError('conflict', { detail: `One of you has ${maxFriends} friends already.` });
    const [sender, me] = [await users.find(offer.from, tx), await users.find(accepter.userId, tx)];
    if (!sender || !me) throw noRequest();
    const now = clock.now();
    const friendship: Friendship = {
      since: now,
      sides: [
        newSide(sender.userId, offer.shareLevel ?? sender.defaultShareLevel, now),
        newSide(accepter.userId, shareLevel ?? accepter.defaultShareLevel, now),
      ],
    };
    await connections.open(friendship, tx);
    await requests.acceptAllBetween(sender.userId, accepter.userId, tx);
    await notify(tx, sender.userId, { kind: 'friend-accepted', friend: accepter });
    return friendship;
  };

  /** All phones of both learn of it at once. */
  const announce: FriendshipCreation['announce'] = async (friendship, { userId, sessionId }, sender) => {
    await deps.audience.changed([userId, sender]);
    await friends.show(sender, userId);
    await friends.show(userId, sender, sessionId);
    return friends.view(friendship, userId);
  };

  const requireRoom = async (userId: string, now: number, tx: ClientSession): Promise<void> => {
    const sent = await requests.listSentSince(userId, now - quotaWindowMs, tx);
    requireDailyQuota(
      sent.map(({ createdAt }) => createdAt),
      { max: maxSentPerDay, what: 'friend requests', now },
    );
    const pending = await requests.listSent(userId, now, tx);
    const firstPending = pending.length >= maxPending ? pending[0] : undefined;
    if (firstPending)
      throw quotaExceeded(
        `At most ${maxPending} friend requests may be pending.`,
        firstPending.expiresAt - now,
      );
  };

  return {
    requireSharingConsent,
    befriend,
    announce,
    async request(userId, { friendCode, shareLevel }) {
      const me = await requireSharingConsent(userId);
      const code = normaliseFriendCode(friendCode);
      const ask = async (tx: ClientSession): Promise<Friendship | undefined> => {
        const now = clock.now();
        if (!(await users.lockForUpdate(userId, tx)))
          throw new DomainError('account-gone', { detail: 'This account does not exist any more.' });
        await requireRoom(userId, now, tx);
        // Every look-up is made whatever the ones before it found.
        const owner = await users.findByFriendCode(code, tx);
        const to = owner?.userId ?? null;
        // Two asks that cross conflict here, so that the later one sees the earlier.
        await users.lockForUpdate(to ?? '-', tx);
        const crossing = await requests.findOpen(to ?? '-', userId, now, tx);
        const asked = await requests.findOpen(userId, to, now, tx);
        const declined = await requests.wasDeclined(userId, to, now - declineHoldsMs, tx);
        const friend = await connections.find(userId, to ?? '-', tx);
        const blocked = await blocks.isBetween(userId, to ?? '-', tx);
        // Without room on both sides an ask that crosses another waits like any other.
        const waiting = await requests.countReceived(to ?? '-', now, tx);
        const rooms = [await hasRoom(userId, tx), await hasRoom(to ?? '-', tx)];
        const becomesFriendship = crossing && !friend && !blocked && rooms.every(Boolean);
        const id = newId();
        const isKnown = asked !== undefined || declined || friend !== undefined || blocked;
        const delivered = to !== null && to !== userId && !isKnown && waiting < maxReceived;
        await requests.insert(
          {
            id,
            from: userId,
            to,
            delivered,
            friendCode,
            shareLevel: shareLevel ?? null,
            state: 'open',
            createdAt: now,
            expiresAt: now + requestLivesMs,
          },
          tx,
        );
        // Of an ask that makes a friendship at once its receiver hears as of that friendship.
        await notify(tx, delivered && !becomesFriendship ? to : null, {
          kind: 'friend-requested',
          requestId: id,
          from: me,
        });
        return becomesFriendship ? befriend(crossing, me, shareLevel, tx) : undefined;
      };
      // One ask of a person after the other: each writes their row, and counts those before it. And one for a code after
      // the other, whether it is anybody's: those for somebody write that person's rows, and would run again where others
      // would not.
      const friendship = await requesterMutex(userId, () =>
        friendCodeMutex(code, () => inTransaction(connection, ask)),
      );
      // No phone of theirs knows by the answer, which says nothing.
      if (friendship) await announce(friendship, { userId }, friendship.sides[0].person);
    },

    async list(userId) {
      const now = clock.now();
      const [received, sent] = await Promise.all([
        requests.listReceived(userId, now),
        requests.listSent(userId, now),
      ]);
      const senders = await userSettings.getMany(received.map(({ from }) => from));
      return {
        received: received.flatMap(({ id, from, createdAt }) => {
          const sender = senders.get(from);
          return sender
            ? [
                {
                  id,
                  from: { userId: from, name: sender.name },
                  createdAt: new Date(createdAt).toISOString(),
                },
              ]
            : [];
        }),
        sent: sent.map(({ id, friendCode, createdAt, expiresAt }) => ({
          id,
          friendCode,
          createdAt: new Date(createdAt).toISOString(),
          expiresAt: new Date(expiresAt).toISOString(),
        })),
      };
    },

    async accept(actor, requestId, shareLevel) {
      const { userId } = actor;
      const me = await requireSharingConsent(userId);
      const { friendship, sender } = await inTransaction(connection, async (tx) => {
        const request = await requests.findReceived(requestId, userId, tx);
        if (!request || request.state === 'declined' || request.state === 'cancelled') throw noRequest();
        if (request.state === 'accepted') {
          // Accepted before, by another phone or by a crossing request.
          const before = await connections.find(request.from, userId, tx);
          if (!before) throw noRequest();
          return { friendship: before, sender: request.from };
        }
        if (request.expiresAt <= clock.now()) throw noRequest();
        return { friendship: await befriend(request, me, shareLevel, tx), sender: request.from };
      });
      return announce(friendship, actor, sender);
    },

    async reject(userId, requestId) {
      if (!(await requests.decline(requestId, userId, clock.now()))) throw noRequest();
    },

    async cancel(userId, requestId) {
      const cancelled = await requests.cancel(requestId, userId);
      if (!cancelled) throw new DomainError('not-found', { detail: 'There is no such request of yours.' });
      // As a block does, and the end of an account: none of them can be told from the others.
      await deps.hideName(userId, { inboxOf: cancelled.to ?? '-', requestId });
    },
  };
};

const noRequest = () => new DomainError('not-found', { detail: 'There is no such request to you.' });
