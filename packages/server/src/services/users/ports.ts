/** What the users service needs from the other services; app/services.ts passes the objects. */
import type { Friend, FriendSummary } from '@pufftrack/contract';
import type { ClientSession } from 'mongoose';
import type { AccountClosing as AuthAccountClosing } from '../auth/index.ts';
import type { Notify } from '../notifications/index.ts';
import type { UserSettings } from './accounts/user.ts';
import type { MuteAll } from './sharing/friendship.ts';

/** auth: ends the sessions and the link to Apple of an account that is deleted. */
export type AccountClosing = Pick<AuthAccountClosing, 'redeemCode' | 'close' | 'announce'>;

/** notifications: events to the open sockets of a user, in every process. */
export interface LiveEvents {
  /** `exceptSession` made the change itself and has its answer; the other devices of that user get the event. */
  friendUpdated(to: string, friend: Friend, exceptSession?: string): void;
  friendRemoved(to: string, friendId: string, exceptSession?: string): void;
}

/** notifications: the socket rooms of this process. */
export interface AudienceRooms {
  /** From now on exactly the sockets of `viewers` here receive the puffs of `userId`. */
  setAudience(userId: string, viewers: ReadonlySet<string>): void;
  /** From now on the sockets of `viewer` here receive the puffs of exactly these users. */
  setSources(viewer: string, userIds: ReadonlySet<string>): void;
  /** The users with an open socket in this process. */
  connectedUsers(): readonly string[];
}

/** notifications: the setting `muteAll` of these users; users who never set it are absent. */
export interface MuteAllReader {
  findMuteAll(userIds: readonly string[]): Promise<ReadonlyMap<string, MuteAll>>;
}

/** notifications: the inbox of each user. */
export interface NotificationInbox {
  notify: Notify;
  /**
   * Removes the name of `named` from stored notifications: from all of them, from one inbox, or from those of one friend
   * request.
   */
  hideName(
    named: string,
    where?: { readonly inboxOf?: string; readonly requestId?: string },
    tx?: ClientSession,
  ): Promise<void>;
}

/** coaching: cheers between two users; part of the transaction that ends their friendship. */
export interface CheerEnding {
  endCheers(tx: ClientSession, one: string, other: string): Promise<void>;
}

/** analytics: statistics that friends see, and their dependence on the profile. */
export interface StatsReader {
  summaries(users: readonly UserSettings[]): Promise<ReadonlyMap<string, FriendSummary>>;
  /** `fields` are those that the user has set, whether or not their values are new. */
  profileChanged(user: UserSettings, fields: readonly string[]): Promise<void>;
}

/** The services that write what a user records. */
export interface PendingWrites {
  /** Resolves when every write of this user that this process had admitted is stored or rejected. */
  drainUser(userId: string): Promise<void>;
}

/** An owner of data about users. */
export interface PersonalData {
  /** Evicts what this process caches of a user, and stops writing data of that user. */
  forgetUser?(userId: string): void;
  /** Deletes every row of this user; returns their number. Safe to repeat and to interrupt. */
  eraseUser(userId: string): Promise<number>;
}

/** The other owners of data about users. */
export interface PersonalDataOwners {
  list(): readonly PersonalData[];
}

export interface SettingsChanged {
  readonly userId: string;
  readonly settingsVersion: number;
}

/** The bus: announces changes to the other processes. A lost announcement is found by polling. */
export interface ChangeAnnouncements {
  settingsChanged(change: SettingsChanged): void;
  audienceChanged(userIds: readonly string[]): void;
}

export interface UsersPorts {
  accountClosing: AccountClosing;
  personalDataOwners: PersonalDataOwners;
  live: LiveEvents;
  rooms: AudienceRooms;
  muteSettings: MuteAllReader;
  inbox: NotificationInbox;
  cheers: CheerEnding;
  stats: StatsReader;
  pendingWrites: PendingWrites;
  announcements: ChangeAnnouncements;
}
