import type { Connection } from 'mongoose';
import type { Actor } from '../../../platform/edge/actor.ts';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import type { Audience } from '../sharing/audience.ts';
import type { AudienceStore } from '../sharing/audience-store.ts';
import type { BlockStore } from './block-store.ts';
import type { FriendConnectionStore } from '../sharing/friend-connection-store.ts';
import type { FriendRequestStore } from '../friends/friend-request-store.ts';
import type { CheerEnding, LiveEvents, NotificationInbox } from '../ports.ts';
import type { UserSettingsCache } from '../accounts/user-settings-cache.ts';
import { settingsOf } from '../accounts/user.ts';
import type { UserStore } from '../accounts/user-store.ts';

/** `GET /friends/blocks` returns the whole list. */
const maxBlocks = 1_000;

/**
 * A block hides two users from each other (domain.md D10): it ends the friendship and drops their friend requests, which
 * still look sent. The blocked user sees the same rows, texts and events as after a removal, or without a friendship, as
 * after a cancelled friend request.
 */
export interface Blocks {
  /** Idempotent. Throws `not-found` for an unknown user. */
  block(actor: Actor, blocked: string): Promise<void>;
  list(userId: string): Promise<{ userId: string; name: string | null; since: string }[]>;
  /** Restores nothing that the block ended. Throws `not-found` without such a block. */
  unblock(userId: string, blocked: string): Promise<void>;
}

export const createBlockService = (deps: {
  connection: Connection;
  users: Pick<UserStore, 'find' | 'lockForUpdate'>;
  blocks: BlockStore;
  connections: Pick<FriendConnectionStore, 'remove'>;
  requests: Pick<FriendRequestStore, 'dropBetween'>;
  audiences: Pick<AudienceStore, 'markChanged'>;
  audience: Audience;
  userSettings: UserSettingsCache;
  live: LiveEvents;
  inbox: Pick<NotificationInbox, 'hideName'>;
  cheers: CheerEnding;
  clock: Clock;
}): Blocks => {
  const { connection, users, blocks, connections, requests, live, clock } = deps;
  return {
    async block({ userId, sessionId }, blocked) {
      if (blocked === userId)
        throw new DomainError('invalid', {
          detail: 'Users cannot block themselves.',
          errors: [{ path: 'userId', message: 'must be the id of another user' }],
        });
      const wereFriends = await inTransaction(connection, async (tx) => {
        const user = await users.find(blocked, tx);
        if (!user) throw new DomainError('not-found', { detail: 'No user has this id.' });
        // A concurrent friend request or friendship of the two conflicts here, runs again and sees the block.
        for (const person of [userId, blocked]) await users.lockForUpdate(person, tx);
        if ((await blocks.count(userId, tx)) >= maxBlocks)
          throw new DomainError('conflict', {
            detail: `The maximum of ${maxBlocks} blocked users is reached.`,
          });
        const { name } = settingsOf(user);
        await blocks.add({ blocker: userId, blocked, name, since: clock.now() }, tx);
        const dropped = await requests.dropBetween(userId, blocked, tx);
        const ended = await connections.remove(userId, blocked, tx);
        if (ended) {
          await deps.audiences.markChanged([userId, blocked], tx);
          await deps.cheers.endCheers(tx, userId, blocked);
        }
        // In the transaction: a failure after it would leave a name that a removal hides, and so reveal the block.
        for (const requestId of dropped)
          await deps.inbox.hideName(userId, { inboxOf: blocked, requestId }, tx);
        await deps.inbox.hideName(blocked, { inboxOf: userId }, tx);
        return ended;
      });
      if (!wereFriends) return;
      await deps.audience.refresh([userId, blocked]);
      live.friendRemoved(blocked, userId);
      live.friendRemoved(userId, blocked, sessionId);
    },
    async list(userId) {
      const list = await blocks.list(userId);
      const settings = await deps.userSettings.getMany(list.map(({ blocked }) => blocked));
      return list.map(({ blocked, name, since }) => {
        // The name at the time of the block, also after a block in return; none where the user shows none now.
        const current = settings.get(blocked)?.name ?? null;
        return {
          userId: blocked,
          name: current === null || name === undefined ? current : name,
          since: new Date(since).toISOString(),
        };
      });
    },
    async unblock(userId, blocked) {
      if (!(await blocks.remove(userId, blocked)))
        throw new DomainError('not-found', { detail: 'The caller has no such block.' });
    },
  };
};
