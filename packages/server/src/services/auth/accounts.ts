import type { Purpose, User } from '@pufftrack/contract';
import type { ClientSession } from 'mongodb';
import type { Logger } from '../../platform/telemetry/logger.ts';

/** What a first sign-in says of the person; the e-mail address comes from Apple's token alone. */
export interface NewAccount {
  ageBand?: '18+' | 'under-18' | undefined;
  consents?: readonly { purpose: Purpose; version: string }[] | undefined;
  name: string | null;
  email: string | null;
  timeZone?: string | undefined;
}

export type SignInDetails = Pick<NewAccount, 'name' | 'email' | 'timeZone' | 'consents'>;

/** The questions that auth asks of whoever keeps the accounts. */
export interface Accounts {
  /** Throws `age-confirmation-required`, `under-age` or `consent-version`; writes nothing. */
  checkNewAccount(input: NewAccount): void;
  /** Makes the account inside the transaction `tx`, which may be run again from its beginning. */
  openAccount(input: NewAccount, tx: ClientSession): Promise<{ userId: string }>;
  /** Throws `consent-version`; writes nothing. */
  checkConsents(input: Pick<NewAccount, 'consents'>): void;
  /**
   * A sign-in of an existing account: `lastLoginAt`, the name where none is kept, e-mail address and zone where given;
   * consents as by `PUT /users/me/consents`. Answers what is to be run after the commit. Throws `consent-version`.
   */
  recordSignIn(userId: string, input: SignInDetails, tx: ClientSession): Promise<() => Promise<void>>;
  /** The owner's view; undefined where there is no such account (any more). */
  view(userId: string): Promise<User | undefined>;
  /** The whole way of a deletion; nothing where there is no such account (any more). */
  eraseAccount(userId: string, log: Logger): Promise<void>;
}
