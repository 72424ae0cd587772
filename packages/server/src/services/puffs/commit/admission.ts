import type { Purpose } from '@pufftrack/contract';
import { DomainError } from '../../../platform/edge/errors.ts';
import { processingPurposes } from '../../users/index.ts';

/**
 * Whether puffs of a person may be written at this moment. A call is checked when it arrives, and its puffs once more
 * when they are about to be stored: a consent may have been withdrawn while they were queued.
 */
export interface Admission {
  /** Null: granted. Undefined: this process holds no current settings of the person; `read` them and ask again. */
  refusal(userId: string): DomainError | null | undefined;
  /** Reads the settings. Rejects with `consent-required` or `account-gone`. */
  read(userId: string): Promise<void>;
}

export const createAdmission = <Person>(deps: {
  /** The settings that this process holds, without a read; undefined where they are absent or outdated. */
  knownPerson: (userId: string) => Person | undefined;
  person: (userId: string) => Person | Promise<Person>;
  requireConsents: (person: Person, purposes: readonly Purpose[]) => void;
}): Admission => ({
  refusal(userId) {
    const person = deps.knownPerson(userId);
    if (person === undefined) return undefined;
    try {
      deps.requireConsents(person, processingPurposes);
      return null;
    } catch (error) {
      if (error instanceof DomainError) return error;
      throw error;
    }
  },
  async read(userId) {
    deps.requireConsents(await deps.person(userId), processingPurposes);
  },
});
