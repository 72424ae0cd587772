/** What auth needs from the other services. app/services.ts connects these ports. */
import type { Purpose, ServerEvent, User } from '@pufftrack/contract';
import type { ClientSession } from 'mongodb';
import type { Logger } from '../../platform/telemetry/logger.ts';
import type { Notify } from '../notifications/index.ts';

/** The input of a first sign-in; the e-mail address comes from Apple's token alone. */
export interface NewAccount {
  ageBand?: '18+' | 'under-18' | undefined;
  consents?: readonly { purpose: Purpose; version: string }[] | undefined;
  name: string | null;
  email: string | null;
  timeZone?: string | undefined;
}

export type SignInDetails = Pick<NewAccount, 'name' | 'email' | 'timeZone' | 'consents'>;

export interface Accounts {
  /** Throws `age-confirmation-required`, `under-age` or `consent-version`; writes nothing. */
  checkNewAccount(input: NewAccount): void;
  /** Creates the account inside the transaction `tx`, which may be retried from its beginning. */
  openAccount(input: NewAccount, tx: ClientSession): Promise<{ userId: string }>;
  /** Throws `consent-version`; writes nothing. */
  checkConsents(input: Pick<NewAccount, 'consents'>): void;
  /**
   * Records a sign-in of an existing account: `lastLoginAt`, the name if none is stored, e-mail address and zone if
   * present; consents as by `PUT /users/me/consents`. The result has to be called after the commit. Throws
   * `consent-version`.
   */
  recordSignIn(userId: string, input: SignInDetails, tx: ClientSession): Promise<() => Promise<void>>;
  /** Reads the cached settings again after a sign-in with an unknown outcome. */
  refreshSettings(userId: string): void;
  /** The owner's view; undefined if the account does not exist. */
  view(userId: string): Promise<User | undefined>;
  /** Deletes the account as `DELETE /users/me` does; a no-op if it does not exist. */
  eraseAccount(userId: string, log: Logger): Promise<void>;
}

/** Security notifications, stored in the caller's transaction. */
export interface NotificationInbox {
  notify: Notify;
}

/** Push registrations, which belong to sessions. */
export interface DeviceRegistry {
  /** Moves the registrations of ended sessions to the session that replaces them, in the transaction `tx`. */
  moveDevices(from: readonly string[], to: string, tx: ClientSession): Promise<void>;
}

export interface SessionEnded {
  readonly sessionId: string;
  readonly reason: ServerEvent<'sessionEnded'>['reason'];
}

export interface OpenSockets {
  /** The sessions of the sockets that this process holds. */
  openSessions(): readonly string[];
  /** Closes the sockets of an ended session, at every process. */
  sessionEnded(ended: SessionEnded): void;
}
