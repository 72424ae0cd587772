import type { CheerKind, Purpose } from '@pufftrack/contract';
import type { ClientSession } from 'mongodb';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import type { CheerStore } from './cheer-store.ts';
import type { InboxStore } from '../inbox/inbox-store.ts';
import type { Notify } from '../inbox/inbox-service.ts';
import { shownToFriendsMs, withOneMoreCheer, type GivenMilestone } from '../milestones/milestone.ts';
import type { MilestonePerson } from '../milestones/milestone-awards.ts';
import type { MilestoneStore } from '../milestones/milestone-store.ts';

export interface CheerService {
  /**
   * The same kind again changes nothing. Throws `not-found` for what this person does not see, `rate-limited` after 30 in
   * 24 hours, `consent-required` without `friends-sharing`.
   */
  cheer(userId: string, milestoneId: string, kind: CheerKind): Promise<void>;
  /** One kind, or all. Throws `not-found` where there is none and the milestone is not to be seen. */
  takeBack(userId: string, milestoneId: string, kind: CheerKind | undefined): Promise<void>;
  /**
   * Two people are no friends any more: what they cheered of each other goes, and each one's name in the inbox of the other.
   * It is the same whether one removed or blocked the other, which neither may tell from it.
   */
  endBetween(tx: ClientSession, one: string, other: string): Promise<void>;
}

export interface CheerServiceDeps {
  store: CheerStore;
  milestones: Pick<MilestoneStore, 'find'>;
  inbox: Pick<InboxStore, 'hideName'>;
  notify: Notify;
  inTransaction: <T>(work: (tx: ClientSession) => Promise<T>) => Promise<T>;
  person: (userId: string) => MilestonePerson | Promise<MilestonePerson>;
  requireConsents: (person: MilestonePerson, purposes: readonly Purpose[]) => void;
  /** Whether `owner` shows milestones to `viewer` now, and is told of what `viewer` does; undefined where not. */
  showsMilestones: (
    owner: string,
    viewer: string,
    tx: ClientSession,
  ) => Promise<{ readonly isMuted: boolean } | undefined>;
  clock: Clock;
}

export const createCheerService = (deps: CheerServiceDeps): CheerService => {
  const { store, milestones, inbox, clock } = deps;

  /** A milestone as somebody else may see it now. */
  const seen = async (
    viewer: string,
    milestoneId: string,
    tx: ClientSession,
  ): Promise<{ milestone: GivenMilestone; isMuted: boolean } | undefined> => {
    const milestone = await milestones.find(milestoneId, tx);
    if (!milestone || milestone.userId === viewer) return undefined;
    const shown = await deps.showsMilestones(milestone.userId, viewer, tx);
    const isInList = milestone.isConfirmed && milestone.awardedAt > clock.now() - shownToFriendsMs;
    return shown && isInList ? { milestone, isMuted: shown.isMuted } : undefined;
  };

  return {
    async cheer(userId, milestoneId, kind) {
      const me = await deps.person(userId);
      deps.requireConsents(me, ['friends-sharing']);
      await deps.inTransaction(async (tx) => {
        // Before anything is looked at: the end of a friendship conflicts here.
        const sentAt = await store.takeTurn(userId, tx);
        const what = await seen(userId, milestoneId, tx);
        if (!what) throw noMilestone();
        const { milestone, isMuted } = what;
        const owner = milestone.userId;
        const cheer = { milestoneId, owner, sender: userId, kind };
        const before = await store.find(cheer, tx);
        if (before === 'standing') return;
        const now = clock.now();
        await store.add(cheer, now, tx);
        if (before === 'taken-back') return;
        await store.saveSent(userId, withOneMoreCheer(sentAt, now), tx);
        if (!isMuted) await deps.notify(tx, owner, { kind: 'cheered', milestoneId, from: me });
      });
    },
    async takeBack(userId, milestoneId, kind) {
      await deps.inTransaction(async (tx) => {
        await store.takeTurn(userId, tx);
        const removed = await store.takeBack(userId, milestoneId, { kind, now: clock.now() }, tx);
        if (removed === 0 && !(await seen(userId, milestoneId, tx))) throw noMilestone();
      });
    },
    async endBetween(tx, one, other) {
      await store.removeBetween(one, other, tx);
      const now = clock.now();
      await inbox.hideName(one, now, { inboxOf: other }, tx);
      await inbox.hideName(other, now, { inboxOf: one }, tx);
    },
  };
};

const noMilestone = () => new DomainError('not-found', { detail: 'There is no such milestone of a friend.' });
