import type { NotificationPreferences, NotificationPreferencesChange } from '@pufftrack/contract';
import type { ClientSession } from 'mongodb';
import type { Clock } from '../../../platform/clock.ts';
import type { SharingPolicy } from '../ports.ts';
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
  sharing: Pick<SharingPolicy, 'markAudienceChanged' | 'refreshAudience'>;
  clock: Clock;
}): PreferencesService => ({
  get: async (userId) => viewPreferences(await deps.store.find(userId)),
  async change(userId, change) {
    const { before, after } = await deps.inTransaction(async (tx) => {
      const found = await deps.store.find(userId, tx);
      const changed = changedPreferences(found, change, deps.clock.now());
      await deps.store.save(userId, changed, tx);
      if (changed.muteAll !== found.muteAll) await deps.sharing.markAudienceChanged(userId, tx);
      return { before: found, after: changed };
    });
    if (after.muteAll !== before.muteAll) await deps.sharing.refreshAudience(userId);
    return viewPreferences(after);
  },
});
