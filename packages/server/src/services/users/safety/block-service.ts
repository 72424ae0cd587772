import type { ClientSession, Connection } from 'mongoose';
import type { Actor } from '../../../platform/edge/actor.ts';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import type { Audience } from '../sharing/audience.ts';
import type { AudienceStore } from '../sharing/audience-store.ts';
import type { BlockStore } from './block-store.ts';
import type { FriendConnectionStore } from '../friends/friend-connection-store.ts';
import type { FriendRequestStore } from '../friends/friend-request-store.ts';
import type { FriendLive } from '../friends/friend-service.ts';
import type { UserSettingsCache } from '../accounts/user-settings-cache.ts';
import type { HideName } from './hide-name.ts';
import { settingsOf } from '../accounts/user.ts';
import type { UserStore } from '../accounts/user-store.ts';

/** So that the list stays one that can be read. */
const maxBlocks = 1_000;

/**
 * Blocking hides two people from each other (domain.md D10): the friendship ends, what one asked of the other is dropped
 * and goes on looking sent. To the one who is blocked it is the same as a removal, or where they are no friends, as a
 * cancelled friend request: the same rows, texts and events.
 */
export interface Blocks {
  /** Blocking again changes nothing. Throws `not-found` where there is nobody. */
  block(actor: Actor, blocked: string): Promise<void>;
  list(userId: string): Promise<{ userId: string; name: string | null; since: string }[]>;
  /** Brings nothing back. Throws `not-found` where there is no such block. */
  unblock(userId: string, blocked: string): Promise<void>;
}

export const createBlocks = (deps: {
  connection: Connection;
  users: Pick<UserStore, 'find' | 'lockForUpdate'>;
  blocks: BlockStore;
  connections: Pick<FriendConnectionStore, 'remove'>;
  requests: Pick<FriendRequestStore, 'dropBetween'>;
  audiences: Pick<AudienceStore, 'move'>;
  audience: Audience;
  userSettings: UserSettingsCache;
  live: FriendLive;
  /** Takes a person's name out of what was told of them: everywhere, to one person, or of one friend request. */
  hideName: HideName;
  /** Part of the transaction that blocks. */
  endCheers: (tx: ClientSession, one: string, other: string) => Promise<void>;
  clock: Clock;
}): Blocks => {
  const { connection, users, blocks, connections, requests, live, clock } = deps;
  return {
    async block({ userId, sessionId }, blocked) {
      if (blocked === userId)
        throw new DomainError('invalid', {
          detail: 'Nobody can block themselves.',
          errors: [{ path: 'userId', message: 'must be somebody else' }],
        });
      const wereFriends = await inTransaction(connection, async (tx) => {
        const user = await users.find(blocked, tx);
        if (!user) throw new DomainError('not-found', { detail: 'There is nobody of this id.' });
        // An ask or a friendship of the two that is under way conflicts here, and then sees the block.
        for (const person of [userId, blocked]) await users.lockForUpdate(person, tx);
        if ((await blocks.count(userId, tx)) >= maxBlocks)
          throw new DomainError('conflict', { detail: `You have blocked ${maxBlocks} people already.` });
        const { name } = settingsOf(user);
        await blocks.add({ blocker: userId, blocked, name, since: clock.now() }, tx);
        const dropped = await requests.dropBetween(userId, blocked, tx);
        const ended = await connections.remove(userId, blocked, tx);
        if (ended) {
          await deps.audiences.move([userId, blocked], tx);
          await deps.endCheers(tx, userId, blocked);
        }
        // In the transaction: after it a failure would leave a name that a removal takes away, and so tell of the block.
        for (const requestId of dropped) await deps.hideName(userId, { inboxOf: blocked, requestId }, tx);
        await deps.hideName(blocked, { inboxOf: userId }, tx);
        return ended;
      });
      if (!wereFriends) return;
      await deps.audience.changed([userId, blocked]);
      live.friendRemoved(blocked, userId);
      live.friendRemoved(userId, blocked, sessionId);
    },
    async list(userId) {
      const list = await blocks.list(userId);
      const settings = await deps.userSettings.getMany(list.map(({ blocked }) => blocked));
      return list.map(({ blocked, name, since }) => {
        // The name of then, whether or not they have blocked the caller since; none where they show none any more.
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
        throw new DomainError('not-found', { detail: 'There is no such block of yours.' });
    },
  };
};
