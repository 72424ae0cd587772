import type { Puff, Purpose, UserStats } from '@pufftrack/contract';
import { processingPurposes } from '../../users/index.ts';

/** What this service needs to know of a person; users gives it. */
export interface PuffPerson {
  readonly userId: string;
  readonly name: string | null;
  readonly timeZone: string;
  readonly dayStartHour: number;
  readonly product: 'vape' | 'cigarette';
}

/** What happened, for whoever shows it live. */
export interface PuffsRecorded<Person extends PuffPerson> {
  readonly person: Person;
  readonly stats: UserStats;
  readonly sessionId: string;
  /** Quantity of the new puffs that happened just now; 0: friends are told nothing. */
  readonly liveCount: number;
  /** The puff, where it came alone. */
  readonly puff: Puff | undefined;
}

/** What became of puffs that were there before. */
export interface PuffsChanged<Person extends PuffPerson> {
  readonly person: Person;
  readonly stats: UserStats;
  readonly sessionId: string;
  /** The puff as it is now, after an edit or a restore. */
  readonly puff?: Puff;
  readonly deleted?: { readonly id: string; readonly revision: number };
  /** Deleted puffs that were shown live when they were received (ms), a short time ago; of each for the first time. */
  readonly retracted?: readonly { readonly quantity: number; readonly receivedAt: number }[];
}

/** Somebody who may write puffs at the moment. Throws `consent-required` or `account-gone`. */
export const writerOf =
  <Person extends PuffPerson>(deps: {
    person: (userId: string) => Person | Promise<Person>;
    requireConsents: (person: Person, purposes: readonly Purpose[]) => void;
  }) =>
  async (userId: string): Promise<Person> => {
    const person = await deps.person(userId);
    deps.requireConsents(person, processingPurposes);
    return person;
  };
