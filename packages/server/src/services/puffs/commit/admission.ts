import { DomainError } from '../../../platform/edge/errors.ts';
import { processingPurposes } from '../../../domain/consents.ts';
import type { ConsentPolicy, PuffPerson, UserDirectory } from '../ports.ts';

export type AdmissionResult = 'granted' | 'unknown' | DomainError;

/**
 * Whether puffs of a person may be written at this moment. A call is checked when it arrives, and its puffs once more
 * when they are about to be stored: a consent may have been withdrawn while they were queued.
 */
export interface Admission {
  /**
   * An error is the reason of the refusal. `unknown`: this process holds no current settings of the person; call `read`,
   * then this again.
   */
  check(userId: string): AdmissionResult;
  /** Reads the settings. Rejects with `consent-required` or `account-gone`. */
  read(userId: string): Promise<void>;
}

export const createAdmission = <Person extends PuffPerson>({
  users,
  consents,
}: {
  users: Pick<UserDirectory<Person>, 'settings' | 'peek'>;
  consents: ConsentPolicy<Person>;
}): Admission => ({
  check(userId) {
    const person = users.peek(userId);
    if (person === undefined) return 'unknown';
    try {
      consents.requireConsents(person, processingPurposes);
      return 'granted';
    } catch (error) {
      if (error instanceof DomainError) return error;
      throw error;
    }
  },
  async read(userId) {
    consents.requireConsents(await users.settings(userId), processingPurposes);
  },
});

/** The settings of a person who may write puffs. Throws `consent-required` or `account-gone`. */
export const createWriterCheck =
  <Person extends PuffPerson>({
    users,
    consents,
  }: {
    users: Pick<UserDirectory<Person>, 'settings'>;
    consents: ConsentPolicy<Person>;
  }) =>
  async (userId: string): Promise<Person> => {
    const person = await users.settings(userId);
    consents.requireConsents(person, processingPurposes);
    return person;
  };
