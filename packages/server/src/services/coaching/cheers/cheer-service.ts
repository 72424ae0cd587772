import type { CheerKind } from '@pufftrack/contract';
import type { ClientSession } from 'mongodb';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import type { MilestoneStore } from '../milestones/milestone-store.ts';
import { shownToFriendsMs, type AwardedMilestone } from '../milestones/milestone.ts';
import type { Inbox, MilestoneSharing, UserDirectory } from '../ports.ts';
import { withOneMoreCheer } from './cheer-quota.ts';
import type { CheerStore } from './cheer-store.ts';

export interface CheerService {
  /**
   * Repeating a kind changes nothing. Throws `not-found` for a milestone that the caller does not see, `rate-limited`
   * after 30 cheers in 24 hours, `consent-required` without `friends-sharing`.
   */
  cheer(userId: string, milestoneId: string, kind: CheerKind): Promise<void>;
  /** One kind, or all. Throws `not-found` if there is no cheer and the caller does not see the milestone. */
  remove(userId: string, milestoneId: string, kind: CheerKind | undefined): Promise<void>;
  /**
   * Part of the transaction that ends a friendship: deletes the cheers between the two users, and each name from the
   * inbox of the other. A removal and a block do the same, so that neither user can tell them apart.
   */
  endBetween(tx: ClientSession, one: string, other: string): Promise<void>;
}

export const createCheerService = (deps: {
  store: CheerStore;
  milestones: Pick<MilestoneStore, 'find'>;
  inbox: Pick<Inbox, 'notify' | 'hideName'>;
  users: Pick<UserDirectory, 'settings' | 'requireConsents'>;
  sharing: Pick<MilestoneSharing, 'showsMilestones'>;
  inTransaction: <T>(work: (tx: ClientSession) => Promise<T>) => Promise<T>;
  clock: Clock;
}): CheerService => {
  const { store, milestones, inbox, users, sharing, clock } = deps;

  /** A friend's milestone if `viewer` may see it now. */
  const findVisible = async (
    viewer: string,
    milestoneId: string,
    tx: ClientSession,
  ): Promise<{ milestone: AwardedMilestone; isMuted: boolean } | undefined> => {
    const milestone = await milestones.find(milestoneId, tx);
    if (!milestone || milestone.userId === viewer) return undefined;
    const shown = await sharing.showsMilestones(milestone.userId, viewer, tx);
    const isListed = milestone.isConfirmed && milestone.awardedAt > clock.now() - shownToFriendsMs;
    return shown && isListed ? { milestone, isMuted: shown.isMuted } : undefined;
  };

  return {
    async cheer(userId, milestoneId, kind) {
      const sender = await users.settings(userId);
      users.requireConsents(sender, ['friends-sharing']);
      await deps.inTransaction(async (tx) => {
        // The first read of the transaction: the end of a friendship conflicts here.
        const sentAt = await store.lockSender(userId, tx);
        const visible = await findVisible(userId, milestoneId, tx);
        if (!visible) throw milestoneNotFound();
        const owner = visible.milestone.userId;
        const cheer = { milestoneId, owner, sender: userId, kind };
        const before = await store.find(cheer, tx);
        if (before === 'active') return;
        const now = clock.now();
        await store.add(cheer, now, tx);
        // A cheer that was removed and is sent again is neither counted nor notified again.
        if (before === 'removed') return;
        await store.saveSent(userId, withOneMoreCheer(sentAt, now), tx);
        if (!visible.isMuted) await inbox.notify(tx, owner, { kind: 'cheered', milestoneId, from: sender });
      });
    },
    async remove(userId, milestoneId, kind) {
      await deps.inTransaction(async (tx) => {
        await store.lockSender(userId, tx);
        const removed = await store.remove(userId, milestoneId, { kind, now: clock.now() }, tx);
        if (removed === 0 && !(await findVisible(userId, milestoneId, tx))) throw milestoneNotFound();
      });
    },
    async endBetween(tx, one, other) {
      await store.removeBetween(one, other, tx);
      await inbox.hideName(one, { inboxOf: other }, tx);
      await inbox.hideName(other, { inboxOf: one }, tx);
    },
  };
};

const milestoneNotFound = () => new DomainError('not-found', { detail: 'No such milestone of a friend.' });
