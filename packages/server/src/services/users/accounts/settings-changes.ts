import type { Purpose } from '@pufftrack/contract';
import type { ClientSession, Connection } from 'mongoose';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import type { UserSettingsCache } from './user-settings-cache.ts';
import { requireConsents } from '../consents/consent.ts';
import { accountGone, settingsOf, type UserSettings } from './user.ts';
import type { UserStore } from './user-store.ts';

/**
 * Changes what another service stores beside a user's settings: `work` and the increment of `settingsVersion` are one
 * transaction, so a reader of the version also sees the work, and of two changes for one user the second sees the first.
 * `work` may run again from its beginning. Throws `account-gone`, `consent-required`, and what `work` throws.
 */
export type SettingsChanges = <T>(
  userId: string,
  purposes: readonly Purpose[],
  work: (person: UserSettings, tx: ClientSession) => Promise<T>,
) => Promise<{ person: UserSettings; result: T }>;

export const createSettingsChanges =
  (deps: { connection: Connection; users: UserStore; userSettings: UserSettingsCache }): SettingsChanges =>
  async (userId, purposes, work) => {
    const { user, result } = await inTransaction(
      deps.connection,
      async (tx) => {
        const changed = await deps.users.bumpSettingsVersion(userId, tx);
        if (!changed) return accountGone();
        const person = settingsOf(changed);
        requireConsents(person, purposes);
        return { user: changed, result: await work(person, tx) };
      },
      () => void deps.userSettings.republish(userId),
    );
    return { person: deps.userSettings.publish(user), result };
  };
