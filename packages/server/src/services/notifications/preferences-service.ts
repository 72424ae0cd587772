import type { NotificationPreferences, NotificationPreferencesChange } from '@pufftrack/contract';
import type { ClientSession } from 'mongodb';
import { changedPreferences, viewPreferences } from './preferences.ts';
import type { PreferencesStore } from './preferences-store.ts';

export interface PreferencesService {
  get(userId: string): Promise<NotificationPreferences>;
  /** Throws `invalid` for `security: off`. */
  change(userId: string, change: NotificationPreferencesChange): Promise<NotificationPreferences>;
}

export const createPreferencesService = (deps: {
  store: PreferencesStore;
  inTransaction: <T>(work: (tx: ClientSession) => Promise<T>) => Promise<T>;
}): PreferencesService => ({
  get: async (userId) => viewPreferences(await deps.store.find(userId)),
  change: (userId, change) =>
    deps.inTransaction(async (tx) => {
      const preferences = changedPreferences(await deps.store.find(userId, tx), change);
      await deps.store.save(userId, preferences, tx);
      return viewPreferences(preferences);
    }),
});
