import type { Friend, ShareLevel } from '@pufftrack/contract';
import type { ClientSession, Connection } from 'mongoose';
import type { Clock } from '../../platform/clock.ts';
import { DomainError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { inTransaction } from '../../platform/mongo/transaction.ts';
import { normaliseFriendCode } from './friend-code.ts';
import type { Tell } from '../notifications/index.ts';
import type { FriendConnectionStore } from './friend-connection-store.ts';
import type { FriendRequest, FriendRequestStore } from './friend-request-store.ts';
import type { FriendLive, FriendService } from './friend-service.ts';
import type { Friendship } from './friendship.ts';
import type { People } from './people.ts';
import { requireConsents, type PersonSettings } from './user.ts';
import type { UserStore } from './user-store.ts';

const dayMs = 86_400_000;
const requestLivesMs = 30 * dayMs;
const declineHoldsMs = 30 * dayMs;
const maxSentPerDay = 20;
const maxPending = 20;
const maxFriends = 200;

export interface FriendRequests {
  /** Always the same answer: whether the code is somebody's cannot be told from it (domain.md D10). */
  request(userId: string, input: { friendCode: string; shareLevel?: ShareLevel | undefined }): Promise<void>;
  list(userId: string): Promise<{
    received: { id: string; from: { userId: string; name: string | null }; createdAt: string }[];
    sent: { id: string; friendCode: string; createdAt: string; expiresAt: string }[];
  }>;
  accept(userId: string, requestId: string, shareLevel: ShareLevel | undefined): Promise<Friend>;
  reject(userId: string, requestId: string): Promise<void>;
}

export const createFriendRequests = (deps: {
  connection: Connection;
  users: UserStore;
  requests: FriendRequestStore;
  connections: FriendConnectionStore;
  friends: FriendService;
  people: People;
  live: FriendLive;
  /** Puts something into a person's inbox, inside the transaction. */
  tell: Tell;
  clock: Clock;
}): FriendRequests => {
  const { connection, users, requests, connections, friends, people, live, tell, clock } = deps;

  const sharer = async (userId: string): Promise<PersonSettings> => {
    const person = await people.settings(userId);
    requireConsents(person, ['friends-sharing']);
    return person;
  };

  /** Makes the friendship, inside the transaction that answers the request for it. */
  const befriend = async (
    request: FriendRequest,
    accepter: PersonSettings,
    shareLevel: ShareLevel | undefined,
    tx: ClientSession,
  ): Promise<Friendship> => {
    for (const person of [request.from, accepter.userId])
      if ((await connections.count(person, tx)) >= maxFriends)
        throw new DomainError('conflict', { detail: `One of you has ${maxFriends} friends already.` });
    const sender = await users.find(request.from, tx);
    if (!sender) throw noRequest();
    const friendship: Friendship = {
      since: clock.now(),
      sides: [
        { person: sender.userId, shareLevel: request.shareLevel ?? sender.defaultShareLevel, muted: false },
        {
          person: accepter.userId,
          shareLevel: shareLevel ?? accepter.defaultShareLevel,
          muted: false,
        },
      ],
    };
    await connections.open(friendship, tx);
    await requests.acceptAllBetween(sender.userId, accepter.userId, tx);
    await tell(tx, sender.userId, { kind: 'friend-accepted', friend: accepter });
    return friendship;
  };

  /** Both phones learn of it at once. */
  const announce = async (friendship: Friendship, accepter: string, sender: string): Promise<Friend> => {
    await friends.settleRooms(friendship);
    live.friendUpdated(sender, await friends.view(friendship, sender));
    return friends.view(friendship, accepter);
  };

  const requireRoom = async (userId: string, now: number, tx: ClientSession): Promise<void> => {
    const today = await requests.listSentSince(userId, now - dayMs, tx);
    const pending = await requests.listSent(userId, now, tx);
    const firstToday = today.length >= maxSentPerDay ? today[0] : undefined;
    if (firstToday) throw tooMany('Twenty requests a day are enough.', firstToday.createdAt + dayMs - now);
    const firstPending = pending.length >= maxPending ? pending[0] : undefined;
    if (firstPending) throw tooMany('Twenty requests wait for an answer.', firstPending.expiresAt - now);
  };

  return {
    async request(userId, { friendCode, shareLevel }) {
      const me = await sharer(userId);
      const friendship = await inTransaction(connection, async (tx) => {
        const now = clock.now();
        await users.touchRequests(userId, tx);
        await requireRoom(userId, now, tx);
        // Every look-up is made whatever the ones before it found.
        const owner = await users.findByFriendCode(normaliseFriendCode(friendCode), tx);
        const to = owner?.userId ?? null;
        // Two asks that cross conflict here, so that the later one sees the earlier.
        await users.touchRequests(to ?? '-', tx);
        const crossing = await requests.findOpen(to ?? '-', userId, now, tx);
        const asked = await requests.findOpen(userId, to, now, tx);
        const declined = await requests.wasDeclined(userId, to, now - declineHoldsMs, tx);
        const friend = await connections.find(userId, to ?? '-', tx);
        const id = newId();
        const delivered = to !== null && to !== userId && !asked && !declined && !friend;
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
        await tell(tx, delivered && !crossing ? to : null, {
          kind: 'friend-requested',
          requestId: id,
          from: me,
        });
        return crossing && !friend ? befriend(crossing, me, shareLevel, tx) : undefined;
      });
      if (friendship) await announce(friendship, userId, friendship.sides[0].person);
    },

    async list(userId) {
      const now = clock.now();
      const [received, sent] = await Promise.all([
        requests.listReceived(userId, now),
        requests.listSent(userId, now),
      ]);
      const senders = await people.settingsOfMany(received.map(({ from }) => from));
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

    async accept(userId, requestId, shareLevel) {
      const me = await sharer(userId);
      const { friendship, sender } = await inTransaction(connection, async (tx) => {
        const request = await requests.findReceived(requestId, userId, tx);
        if (!request || request.state === 'declined') throw noRequest();
        if (request.state === 'accepted') {
          // Accepted before, by another phone or by a crossing request.
          const before = await connections.find(request.from, userId, tx);
          if (!before) throw noRequest();
          return { friendship: before, sender: request.from };
        }
        if (request.expiresAt <= clock.now()) throw noRequest();
        return { friendship: await befriend(request, me, shareLevel, tx), sender: request.from };
      });
      return announce(friendship, userId, sender);
    },

    async reject(userId, requestId) {
      if (!(await requests.decline(requestId, userId, clock.now()))) throw noRequest();
    },
  };
};

const noRequest = () => new DomainError('not-found', { detail: 'There is no such request to you.' });

const tooMany = (detail: string, waitMs: number) =>
  new DomainError('rate-limited', { detail, retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1_000)) });
