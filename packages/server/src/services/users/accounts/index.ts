/** accounts: the account document, its profile and its consents. */
import type { Connection } from 'mongoose';
import { z } from 'zod';
import type { Clock } from '../../../platform/clock.ts';
import type { Route } from '../../../platform/http/route.ts';
import type { Accounts } from '../../auth/index.ts';
import type { ChangeAnnouncements, PendingWrites, StatsReader } from '../ports.ts';
import { createAccounts } from './accounts.ts';
import { consentRoutes } from './consent-routes.ts';
import { createConsentService } from './consent-service.ts';
import { createSettingsChanges, type SettingsChanges } from './settings-changes.ts';
import { createUserListingStore, type UserListingStore } from './user-listing-store.ts';
import { userRoutes } from './user-routes.ts';
import { createUserService } from './user-service.ts';
import { createUserSettingsCache, type UserSettingsCache } from './user-settings-cache.ts';
import { createUserStore, type UserStore } from './user-store.ts';

/** What every other room builds on. */
export interface UserBase {
  readonly users: UserStore;
  readonly listing: UserListingStore;
  readonly userSettings: UserSettingsCache;
  /** Applies a change of settings that another process has announced on the bus. */
  onRemoteSettingsChange(message: unknown): void;
}

const SettingsChangedMessage = z.object({ userId: z.string(), settingsVersion: z.number() });

export const createUserBase = (deps: {
  connection: Connection;
  announcements: Pick<ChangeAnnouncements, 'settingsChanged'>;
  clock: Clock;
}): UserBase => {
  const users = createUserStore(deps.connection);
  const userSettings = createUserSettingsCache({ ...deps, users });
  return {
    users,
    listing: createUserListingStore(deps.connection),
    userSettings,
    onRemoteSettingsChange(message) {
      const parsed = SettingsChangedMessage.safeParse(message);
      if (parsed.success) userSettings.markStale(parsed.data);
    },
  };
};

export interface AccountsRoom {
  readonly routes: Route[];
  readonly accounts: Accounts;
  readonly changeSettings: SettingsChanges;
}

export const createAccountsRoom = (
  deps: UserBase & {
    connection: Connection;
    markAudienceChanged: Parameters<typeof createConsentService>[0]['markAudienceChanged'];
    onConsentsChanged: Parameters<typeof createConsentService>[0]['onConsentsChanged'];
    eraseAccount: Accounts['eraseAccount'];
    stats: StatsReader;
    pendingWrites: PendingWrites;
    isKnownZone: (name: string) => boolean;
    clock: Clock;
  },
): AccountsRoom => {
  const consents = createConsentService(deps);
  return {
    routes: [...userRoutes(createUserService(deps)), ...consentRoutes(consents)],
    accounts: createAccounts({ ...deps, consents }),
    changeSettings: createSettingsChanges(deps),
  };
};
