/** What this service needs from the others; app/services.ts passes the implementations. */
import type { Puff, Purpose, UserStats } from '@pufftrack/contract';
import type { PuffHistory } from './domain/puff-history.ts';

/** The settings of an account owner that recording depends on. */
export interface PuffPerson {
  readonly userId: string;
  readonly name: string | null;
  readonly timeZone: string;
  readonly dayStartHour: number;
  readonly product: 'vape' | 'cigarette';
}

export interface UserDirectory<Person extends PuffPerson> {
  /** Rejects with `account-gone`. */
  settings(userId: string): Person | Promise<Person>;
  /** The settings that this process holds, without a read; undefined where they are absent or outdated. */
  peek(userId: string): Person | undefined;
  findDeletedUsers: FindDeletedUsers;
}

/** Those of these users whose account does not exist any more, as the database has it now. */
export type FindDeletedUsers = (userIds: readonly string[]) => Promise<readonly string[]>;

export interface ConsentPolicy<Person> {
  /** Throws `consent-required`. */
  requireConsents(person: Person, purposes: readonly Purpose[]): void;
}

export interface StatsReader<Person> {
  /** Synchronous where everything is in memory: it is on the path of every puff. */
  statsOf(person: Person, history: PuffHistory): UserStats | Promise<UserStats>;
}

/** Live events for the owner and the audience. */
export interface LiveEvents<Person> {
  puffsRecorded(recorded: PuffsRecorded<Person>): void;
  /** An answer waits for the result, so that it follows the events. */
  puffsChanged(changed: PuffsChanged<Person>): void | Promise<void>;
}

export interface PuffsRecorded<Person> {
  readonly person: Person;
  readonly stats: UserStats;
  readonly sessionId: string;
  /** Quantity of the new puffs that happened just now; 0: friends receive no event. */
  readonly liveCount: number;
  /** The puff, if it was recorded alone. */
  readonly puff: Puff | undefined;
}

export interface PuffsChanged<Person> {
  readonly person: Person;
  readonly stats: UserStats;
  readonly sessionId: string;
  /** The current puff, after an edit or a restore. */
  readonly puff?: Puff;
  readonly deleted?: { readonly id: string; readonly revision: number };
  /** Puffs deleted for the first time that were shown live a short time ago; `receivedAt` in ms. */
  readonly retracted?: readonly { readonly quantity: number; readonly receivedAt: number }[];
}
