import type { Purpose, UserStats } from '@pufftrack/contract';
import type { ClientSession } from 'mongoose';
import type { DayNumber } from '../../domain/local-day.ts';
import type { Moment, PersonHour, PuffHistory } from '../puffs/index.ts';

/** The profile's zone from an instant (ms) on. The first period also covers all time before it. */
export interface ZonePeriod {
  readonly timeZone: string;
  readonly from: number;
}

/** The settings and facts of an account that its numbers depend on. */
export interface StatsPerson {
  readonly userId: string;
  readonly name: string | null;
  /** ms */
  readonly createdAt: number;
  readonly timeZone: string;
  /** Oldest first. */
  readonly timeZones: readonly ZonePeriod[];
  readonly dayStartHour: number;
  readonly weekStart: 'monday' | 'sunday';
  /** Increases with every change of the settings, goals and check-ins of the account. */
  readonly settingsVersion: number;
}

export interface ProcessedPerson extends StatsPerson {
  readonly consents: ReadonlySet<Purpose>;
}

/** users: accounts with their settings and consents. */
export interface UserDirectory {
  settings(userId: string): StatsPerson | Promise<StatsPerson>;
  /**
   * Runs `work` and increases `settingsVersion` in one transaction. Throws `consent-required` and what `work` throws.
   */
  changeSettings<T>(
    userId: string,
    purposes: readonly Purpose[],
    work: (person: StatsPerson, tx: ClientSession) => Promise<T>,
  ): Promise<{ person: StatsPerson; result: T }>;
  listTimeZones(): Promise<string[]>;
  /** In the order of `userId`. */
  listPage(page: {
    dayRollover?: { timeZone: string; dayStartHour: number };
    after?: string | undefined;
    limit: number;
  }): Promise<ProcessedPerson[]>;
}

/** users: what friends share. */
export interface SharingPolicy {
  /** The friends who share `summary` or more with this user and appear on boards. */
  boardFriendsOf(userId: string): Promise<readonly StatsPerson[]>;
}

/** puffs: the logs, read as counts. Instants in ms, revisions are numbers of a log. */
export interface PuffHistories {
  /** With every day from `from` on loaded. */
  history(userId: string, from?: DayNumber): Promise<PuffHistory>;
  /** Each with at least the given revision counted; in a number of queries that does not depend on the number of people. */
  histories(revs: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, PuffHistory>>;
  newestRevs(userIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** The live puffs between two instants, both included, oldest first. */
  momentsBetween(userId: string, range: { readonly from: number; readonly to: number }): Promise<Moment[]>;
  /** The puffs of these people by hour of UTC and product. */
  countByHour(people: readonly string[], range: { from: number; to: number }): Promise<PersonHour[]>;
}

/** notifications: events to the sockets of an account. */
export interface LiveEvents {
  /** The numbers changed without a puff. */
  statsChanged(stats: UserStats): void;
}

/** Computes the numbers of a user after a change of settings, goals or check-ins, and sends them to the user's sockets. */
export type PublishStats = (person: StatsPerson) => Promise<UserStats>;
