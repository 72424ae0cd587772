import type { Friend, ShareLevel } from '@pufftrack/contract';
import type { ClientSession, Connection } from 'mongoose';
import { dayMs } from '../../../domain/durations.ts';
import type { Actor } from '../../../platform/edge/actor.ts';
import type { Clock } from '../../../platform/clock.ts';
import { createKeyedMutex } from '../../../platform/concurrency/keyed-mutex.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { newId } from '../../../platform/ids.ts';
import { quotaExceeded, quotaWindowMs, requireDailyQuota } from '../../../platform/limits/daily-quota.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import { normaliseFriendCode } from '../accounts/friend-code.ts';
import { accountGone, type UserSettings } from '../accounts/user.ts';
import type { UserSettingsCache } from '../accounts/user-settings-cache.ts';
import type { UserStore } from '../accounts/user-store.ts';
import type { NotificationInbox } from '../ports.ts';
import type { FriendConnectionStore } from '../sharing/friend-connection-store.ts';
import type { Friendship } from '../sharing/friendship.ts';
import { decoyUserId } from './decoy-user-id.ts';
import type { FriendRequestStore } from './friend-request-store.ts';
import { noRequest, type FriendshipCreation } from './friendship-creation.ts';

const requestLifetimeMs = 30 * dayMs;
const declineHoldsMs = 30 * dayMs;
const maxSentPerDay = 20;
const maxPending = 20;
/** As many as may become friends. A request beyond it is not delivered, which its sender cannot see. */
const maxReceived = 200;

export interface FriendRequests {
  /**
   * Always the same answer, so that it does not reveal whether an account has this friend code (domain.md D10). Throws
   * `rate-limited` after 20 in 24 hours and with 20 pending, and `consent-required`.
   */
  request(userId: string, input: { friendCode: string; shareLevel?: ShareLevel | undefined }): Promise<void>;
  list(userId: string): Promise<{
    received: { id: string; from: { userId: string; name: string | null }; createdAt: string }[];
    sent: { id: string; friendCode: string; createdAt: string; expiresAt: string }[];
  }>;
  accept(actor: Actor, requestId: string, shareLevel: ShareLevel | undefined): Promise<Friend>;
  reject(userId: string, requestId: string): Promise<void>;
  cancel(userId: string, requestId: string): Promise<void>;
}

/** Blocks between two users, which safety owns. */
export interface BlockReader {
  isBetween(one: string, other: string, tx: ClientSession): Promise<boolean>;
}

export const createFriendRequestService = (deps: {
  connection: Connection;
  users: Pick<UserStore, 'lockForUpdate' | 'findByFriendCode'>;
  userSettings: UserSettingsCache;
  requests: FriendRequestStore;
  connections: Pick<FriendConnectionStore, 'find'>;
  blocks: BlockReader;
  creation: FriendshipCreation;
  inbox: NotificationInbox;
  clock: Clock;
}): FriendRequests => {
  const { connection, users, userSettings, requests, connections, blocks, creation, clock } = deps;

  const requesterMutex = createKeyedMutex(clock);
  const friendCodeMutex = createKeyedMutex(clock);

  const requireQuota = async (userId: string, now: number, tx: ClientSession): Promise<void> => {
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

  /** Every look-up is made whatever the earlier ones found, so that the duration of the call reveals nothing. */
  const findRelation = async (userId: string, recipient: string | null, now: number, tx: ClientSession) => {
    const other = recipient ?? decoyUserId;
    const crossing = await requests.findOpen(other, userId, now, tx);
    const pending = await requests.findOpen(userId, recipient, now, tx);
    const declined = await requests.wasDeclined(userId, recipient, now - declineHoldsMs, tx);
    const friendship = await connections.find(userId, other, tx);
    const blocked = await blocks.isBetween(userId, other, tx);
    const received = await requests.countReceived(other, now, tx);
    const rooms = [await creation.hasRoom(userId, tx), await creation.hasRoom(other, tx)];
    const isKnown = pending !== undefined || declined || friendship !== undefined || blocked;
    return {
      isDeliverable: recipient !== null && recipient !== userId && !isKnown && received < maxReceived,
      // Where one of the two has no room, a crossing friend request stays pending like any other.
      crossing: friendship || blocked || !rooms.every(Boolean) ? undefined : crossing,
    };
  };

  /** Returns the friendship where two friend requests cross. */
  const send = async (
    me: UserSettings,
    { friendCode, shareLevel }: { friendCode: string; shareLevel?: ShareLevel | undefined },
    tx: ClientSession,
  ): Promise<Friendship | undefined> => {
    const { userId } = me;
    const now = clock.now();
    if (!(await users.lockForUpdate(userId, tx))) accountGone();
    await requireQuota(userId, now, tx);
    const recipient = (await users.findByFriendCode(normaliseFriendCode(friendCode), tx))?.userId ?? null;
    // Crossing friend requests conflict here, so that the later one sees the earlier one.
    await users.lockForUpdate(recipient ?? decoyUserId, tx);
    const { isDeliverable, crossing } = await findRelation(userId, recipient, now, tx);
    const id = newId();
    await requests.insert(
      {
        id,
        from: userId,
        to: recipient,
        delivered: isDeliverable,
        friendCode,
        shareLevel: shareLevel ?? null,
        state: 'open',
        createdAt: now,
        expiresAt: now + requestLifetimeMs,
      },
      tx,
    );
    // Where a friendship is created at once, the recipient is notified of the friendship instead.
    await deps.inbox.notify(tx, isDeliverable && !crossing ? recipient : null, {
      kind: 'friend-requested',
      requestId: id,
      from: me,
    });
    return crossing && creation.create(crossing, me, shareLevel, tx);
  };

  return {
    async request(userId, input) {
      const me = await creation.requireSharingConsent(userId);
      // Requests of one user run one by one, because each one counts the earlier ones. So do requests for one code, whether
      // an account has it or not: without that, only those for an existing account would conflict and run again.
      const friendship = await requesterMutex(userId, () =>
        friendCodeMutex(normaliseFriendCode(input.friendCode), () =>
          inTransaction(connection, (tx) => send(me, input, tx)),
        ),
      );
      // No session is excluded: the response does not contain the friend.
      if (friendship) await creation.announce(friendship, { userId }, friendship.sides[0].person);
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
      const me = await creation.requireSharingConsent(userId);
      const { friendship, sender } = await inTransaction(connection, async (tx) => {
        const request = await requests.findReceived(requestId, userId, tx);
        if (!request || request.state === 'declined' || request.state === 'cancelled') throw noRequest();
        if (request.state === 'accepted') {
          // Another device, or a crossing friend request, has accepted it.
          const before = await connections.find(request.from, userId, tx);
          if (!before) throw noRequest();
          return { friendship: before, sender: request.from };
        }
        if (request.expiresAt <= clock.now()) throw noRequest();
        return { friendship: await creation.create(request, me, shareLevel, tx), sender: request.from };
      });
      return creation.announce(friendship, actor, sender);
    },

    async reject(userId, requestId) {
      if (!(await requests.decline(requestId, userId, clock.now()))) throw noRequest();
    },

    async cancel(userId, requestId) {
      const cancelled = await requests.cancel(requestId, userId);
      if (!cancelled)
        throw new DomainError('not-found', { detail: 'The caller has sent no such friend request.' });
      // A block and a deleted account have the same effect, so the recipient cannot distinguish them.
      await deps.inbox.hideName(userId, { inboxOf: cancelled.to ?? decoyUserId, requestId });
    },
  };
};
