import { createHash } from 'node:crypto';
import type { Friend, ShareLevel } from '@pufftrack/contract';
import type { Connection } from 'mongoose';
import type { Actor } from '../../../platform/edge/actor.ts';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { dayMs } from '../../../domain/durations.ts';
import { randomSecret } from '../../../platform/ids.ts';
import { quotaWindowMs, requireDailyQuota } from '../../../platform/limits/daily-quota.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import type { FriendConnectionStore } from '../sharing/friend-connection-store.ts';
import type { BlockReader } from './friend-request-service.ts';
import type { FriendshipCreation } from './friendship-creation.ts';
import type { InviteStore } from './invite-store.ts';
import type { UserStore } from '../accounts/user-store.ts';

const inviteLifetimeMs = 7 * dayMs;
const maxPerDay = 20;

/** Single-use invites, handed over as a link or a QR code (domain.md D10). */
export interface Invites {
  /** Throws `rate-limited` after 20 in 24 hours, and `consent-required`. */
  create(userId: string): Promise<{ token: string; url: string; expiresAt: string }>;
  /**
   * Accepting again returns the same friend. Throws `not-found` for a token that is unknown, used, expired, the caller's
   * own or from a user with a block between the two; `conflict` where one of the two has no room. Only a new friendship
   * uses an invite.
   */
  accept(actor: Actor, token: string, shareLevel: ShareLevel | undefined): Promise<Friend>;
}

export const createInviteService = (deps: {
  connection: Connection;
  users: Pick<UserStore, 'lockForUpdate'>;
  invites: InviteStore;
  blocks: BlockReader;
  connections: Pick<FriendConnectionStore, 'find'>;
  creation: FriendshipCreation;
  publicUrl: string;
  clock: Clock;
}): Invites => {
  const { connection, users, invites, blocks, connections, creation, clock } = deps;
  return {
    async create(userId) {
      await creation.requireSharingConsent(userId);
      const token = newInviteToken();
      const expiresAt = await inTransaction(connection, async (tx) => {
        const now = clock.now();
        await users.lockForUpdate(userId, tx);
        const usedAt = await invites.listMadeSince(userId, now - quotaWindowMs, tx);
        requireDailyQuota(usedAt, { max: maxPerDay, what: 'invites', now });
        const end = now + inviteLifetimeMs;
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
      const me = await creation.requireSharingConsent(userId);
      const { friendship, inviter } = await inTransaction(connection, async (tx) => {
        const invite = await invites.find(inviteIdOf(token), tx);
        if (!invite || invite.inviter === userId || invite.expiresAt <= clock.now()) throw noInvite();
        const before = await connections.find(invite.inviter, userId, tx);
        if (invite.usedBy !== null && invite.usedBy !== userId) throw noInvite();
        if (before) return { friendship: before, inviter: invite.inviter };
        if (invite.usedBy !== null || (await blocks.isBetween(invite.inviter, userId, tx))) throw noInvite();
        // A concurrent block conflicts here.
        for (const person of [invite.inviter, userId]) await users.lockForUpdate(person, tx);
        if (!(await invites.use(invite.id, userId, tx))) throw noInvite();
        const offer = { from: invite.inviter, shareLevel: null };
        return {
          friendship: await creation.create(offer, me, shareLevel, tx),
          inviter: invite.inviter,
        };
      });
      return creation.announce(friendship, actor, inviter);
    },
  };
};

/** 256 bits: an invite token cannot be guessed. */
const tokenBytes = 32;

const newInviteToken = (): string => randomSecret(tokenBytes);

/** What is stored of a token, so that the database contains nothing that could be sent in its place. */
const inviteIdOf = (token: string): string => createHash('sha256').update(token).digest('hex');

const noInvite = () =>
  new DomainError('not-found', { detail: 'No such invite, or it has been used or has expired.' });
