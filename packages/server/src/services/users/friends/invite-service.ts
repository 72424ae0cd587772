import type { Friend, ShareLevel } from '@pufftrack/contract';
import type { Connection } from 'mongoose';
import type { Actor } from '../../../platform/edge/actor.ts';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { quotaWindowMs, requireDailyQuota } from '../../../platform/limits/daily-quota.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import type { BlockStore } from '../safety/block-store.ts';
import type { FriendConnectionStore } from './friend-connection-store.ts';
import type { FriendshipCreation } from './friend-request-service.ts';
import { inviteIdOf, newInviteToken } from './invite-token.ts';
import type { InviteStore } from './invite-store.ts';
import type { UserStore } from '../accounts/user-store.ts';

const dayMs = 86_400_000;
const inviteLivesMs = 7 * dayMs;
const maxPerDay = 20;

/** One-time invites, to be handed over as a link or a QR code (domain.md D10). */
export interface Invites {
  /** Throws `rate-limited` beyond twenty a day. */
  create(userId: string): Promise<{ token: string; url: string; expiresAt: string }>;
  /**
   * Accepting again answers the same friend. Throws `not-found` for a token that is unknown, used, run out, one's own or
   * of somebody with a block between; `conflict` where one of the two has no room. Only a friendship uses an invite up.
   */
  accept(actor: Actor, token: string, shareLevel: ShareLevel | undefined): Promise<Friend>;
}

export const createInvites = (deps: {
  connection: Connection;
  users: Pick<UserStore, 'lockForUpdate'>;
  invites: InviteStore;
  blocks: Pick<BlockStore, 'isBetween'>;
  connections: Pick<FriendConnectionStore, 'find'>;
  friendshipCreation: FriendshipCreation;
  publicUrl: string;
  clock: Clock;
}): Invites => {
  const { connection, users, invites, blocks, connections, friendshipCreation, clock } = deps;
  return {
    async create(userId) {
      await friendshipCreation.requireSharingConsent(userId);
      const token = newInviteToken();
      const expiresAt = await inTransaction(connection, async (tx) => {
        const now = clock.now();
        await users.lockForUpdate(userId, tx);
        const usedAt = await invites.listMadeSince(userId, now - quotaWindowMs, tx);
        requireDailyQuota(usedAt, { max: maxPerDay, what: 'invites', now });
        const end = now + inviteLivesMs;
        await invites.insert(
          { id: inviteIdOf(token), inviter: userId, createdAt: now, expiresAt: end, usedBy: null },
          tx,
        );
        return end;
      });
      const url = `${deps.publicUrl.replace(/\/+$/, '')}/#invite=${token}`;
      return { token, url, expiresAt: new Date(expiresAt).toISOString() };
    },

    async accept(actor, token, shareLevel) {
      const { userId } = actor;
      const me = await friendshipCreation.requireSharingConsent(userId);
      const { friendship, inviter } = await inTransaction(connection, async (tx) => {
        const invite = await invites.find(inviteIdOf(token), tx);
        if (!invite || invite.inviter === userId || invite.expiresAt <= clock.now()) throw noInvite();
        const before = await connections.find(invite.inviter, userId, tx);
        if (invite.usedBy !== null && invite.usedBy !== userId) throw noInvite();
        if (before) return { friendship: before, inviter: invite.inviter };
        if (invite.usedBy !== null || (await blocks.isBetween(invite.inviter, userId, tx))) throw noInvite();
        // A block that is under way conflicts here.
        for (const person of [invite.inviter, userId]) await users.lockForUpdate(person, tx);
        if (!(await invites.use(invite.id, userId, tx))) throw noInvite();
        const offer = { from: invite.inviter, shareLevel: null };
        return {
          friendship: await friendshipCreation.befriend(offer, me, shareLevel, tx),
          inviter: invite.inviter,
        };
      });
      return friendshipCreation.announce(friendship, actor, inviter);
    },
  };
};

const noInvite = () =>
  new DomainError('not-found', { detail: 'There is no such invite, or it has been used or has run out.' });
