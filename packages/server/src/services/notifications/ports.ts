/** What notifications needs from the other services. app/services.ts connects these ports. */
import type { Friend, Puff, Purpose, UserStats } from '@pufftrack/contract';
import type { ClientSession } from 'mongodb';

/** An account as notifications needs it. */
export interface Recipient {
  readonly name: string | null;
  readonly timeZone: string;
  readonly consents: ReadonlySet<Purpose>;
}

/** users: accounts with their settings and consents. */
export interface UserDirectory {
  /** Throws `account-gone`. */
  settings(userId: string): Recipient | Promise<Recipient>;
  settingsOfMany(userIds: readonly string[]): Promise<ReadonlyMap<string, Recipient>>;
}

/** users: friends, and whose puffs a socket receives. */
export interface SharingPolicy {
  friendsOf(userId: string): Promise<Friend[]>;
  /** A friend as `viewer` sees them now; undefined if they are not friends. */
  friendOf(viewer: string, friendId: string): Promise<Friend | undefined>;
  /** Friends who receive this user's puffs live, each with the instant (ms) since which that is so without a break. */
  liveViewersOf(userId: string): Promise<readonly { userId: string; since: number }[]>;
  /** Moves the user's sockets of this process into the live rooms of their friends. */
  joinAudiences(userId: string): Promise<void>;
  /** Part of a transaction that changes `muteAll`: the other processes then move the user's sockets. */
  markAudienceChanged(userId: string, tx: ClientSession): Promise<void>;
  /** Resolves when the sockets of this process match `muteAll`; the other processes are notified. */
  refreshAudience(userId: string): Promise<unknown>;
}

/** analytics: statistics as they are now. */
export interface StatsReader {
  current(userId: string): Promise<UserStats>;
}

/** puffs: a live puff as it is now; undefined if it was deleted. */
export interface PuffReader {
  findLive(userId: string, puffId: string): Promise<Puff | undefined>;
}

/** auth: the sessions among these that have ended. */
export interface SessionDirectory {
  endedSessions(sessionIds: readonly string[]): Promise<readonly string[]>;
}
