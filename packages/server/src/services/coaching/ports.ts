import type { ClientSession } from 'mongodb';
import type { Purpose } from '@pufftrack/contract';
import type { RolloverPeople, StreakPerson } from '../analytics/index.ts';
import type { Notify } from '../notifications/index.ts';

/** An account as milestones and cheers need it. */
export interface MilestoneUser extends StreakPerson {
  readonly name: string | null;
  readonly consents: ReadonlySet<Purpose>;
}

/** users: accounts with their settings and consents. */
export interface UserDirectory extends RolloverPeople<MilestoneUser> {
  settings(userId: string): MilestoneUser | Promise<MilestoneUser>;
  settingsOfMany(userIds: readonly string[]): Promise<ReadonlyMap<string, MilestoneUser>>;
  /** Throws `consent-required`. */
  requireConsents(user: MilestoneUser, purposes: readonly Purpose[]): void;
}

/** users: who shows milestones to whom. */
export interface MilestoneSharing {
  /** The friends who show their milestones to this user now. */
  milestoneFriendsOf(userId: string): Promise<readonly MilestoneUser[]>;
  /** Whether `owner` shows milestones to `viewer` now, and whether `owner` has muted them; undefined: not shown. */
  showsMilestones(
    owner: string,
    viewer: string,
    tx: ClientSession,
  ): Promise<{ readonly isMuted: boolean } | undefined>;
}

/** puffs: the newest number of each user's log; users without a log are absent. */
export interface PuffLogHeads {
  newestRevs(userIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
}

/** notifications: the inbox. */
export interface Inbox {
  notify: Notify;
  /** Removes a user's name from the notifications in one inbox. */
  hideName(named: string, where: { readonly inboxOf: string }, tx: ClientSession): Promise<void>;
  /** Marks the user's notifications about these milestones as read. */
  markMilestonesRead(userId: string, milestoneIds: readonly string[], tx: ClientSession): Promise<void>;
}
