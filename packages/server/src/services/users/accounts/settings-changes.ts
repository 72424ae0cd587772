import type { Purpose } from '@pufftrack/contract';
import type { ClientSession, Connection } from 'mongoose';
import { DomainError } from '../../../platform/edge/errors.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import type { UserSettingsCache } from './user-settings-cache.ts';
import { requireConsents, settingsOf, type PersonSettings } from './user.ts';
import type { UserStore } from './user-store.ts';

/**
 * Changes what another service keeps beside a person's settings: `work` and the move of `settingsVersion` are one
 * transaction, so whoever sees the version sees the work, and of two changes of one person the second sees the first.
 * `work` may run again from its beginning. Throws `account-gone`, `consent-required`, and what `work` throws.
 */
export type SettingsChanges = <T>(
  userId: string,
  purposes: readonly Purpose[],
  work: (person: PersonSettings, tx: ClientSession) => Promise<T>,
) => Promise<{ person: PersonSettings; result: T }>;

export const createSettingsChanges =
  (deps: { connection: Connection; store: UserStore; userSettings: UserSettingsCache }): SettingsChanges =>
  async (userId, purposes, work) => {
    const { user, result } = await inTransaction(
      deps.connection,
      async (tx) => {
        const changed = await deps.store.bumpSettingsVersion(userId, tx);
        if (!changed)
          throw new DomainError('account-gone', { detail: 'This account does not exist any more.' });
        const person = settingsOf(changed);
        requireConsents(person, purposes);
        return { user: changed, result: await work(person, tx) };
      },
      () => void deps.userSettings.republish(userId),
    );
    return { person: deps.userSettings.publish(user), result };
  };
