import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { newId, randomCode } from '../../../platform/ids.ts';
import type { Accounts } from '../../auth/index.ts';
import { friendCodeLength } from './friend-code.ts';
import type { UserSettingsCache } from './user-settings-cache.ts';
import { defaultProfile } from './user.ts';
import { requireVersionsInForce, withConsents } from '../consents/consent.ts';
import type { ConsentService } from './consent-service.ts';
import type { UserStore } from './user-store.ts';
import { viewUser } from './user-view.ts';

/** The port of auth: accounts, as a sign-in needs them. */
export const createAccounts = (deps: {
  users: UserStore;
  userSettings: UserSettingsCache;
  consents: Pick<ConsentService, 'apply' | 'committed'>;
  eraseAccount: Accounts['eraseAccount'];
  clock: Clock;
  isKnownZone: (name: string) => boolean;
}): Accounts => {
  const { users, userSettings, clock } = deps;
  // A client with newer zone data than the server can sign in; it patches the zone later.
  const known = (timeZone: string | undefined) =>
    timeZone !== undefined && deps.isKnownZone(timeZone) ? timeZone : undefined;

  return {
    checkNewAccount({ ageBand, consents }) {
      if (ageBand === undefined)
        throw new DomainError('age-confirmation-required', {
          detail: '`ageBand` is required for a new account. Send the same body with it.',
        });
      if (ageBand === 'under-18')
        throw new DomainError('under-age', { detail: 'PuffTrack is for adults aged 18 and over.' });
      requireVersionsInForce(consents ?? []);
    },
    checkConsents({ consents }) {
      requireVersionsInForce(consents ?? []);
    },
    async openAccount({ name, email, timeZone, consents }, tx) {
      const now = clock.now();
      const userId = newId();
      const zone = known(timeZone) ?? defaultProfile.timeZone;
      await users.insert(
        {
          ...defaultProfile,
          userId,
          name,
          email,
          timeZone: zone,
          timeZones: [{ timeZone: zone, from: now }],
          createdAt: now,
          lastLoginAt: now,
          friendCode: randomCode(friendCodeLength),
          ageBand: '18+',
          settingsVersion: 1,
          ghost: null,
          sharesSince: now,
          nameHidden: false,
          consents: withConsents(
            [],
            (consents ?? []).map((consent) => ({ ...consent, granted: true, at: now })),
          ),
        },
        tx,
      );
      return { userId };
    },
    async recordSignIn(userId, { name, email, timeZone, consents }, tx) {
      await users.recordSignIn(userId, { at: clock.now(), name, email, timeZone: known(timeZone) }, tx);
      const granted = (consents ?? []).map((consent) => ({ ...consent, granted: true }));
      if (granted.length === 0) return () => Promise.resolve();
      const changed = await deps.consents.apply(userId, granted, tx);
      return () => deps.consents.committed(changed);
    },
    refreshSettings(userId) {
      void userSettings.republish(userId);
    },
    async view(userId) {
      const user = await users.find(userId);
      if (user) userSettings.put(user);
      return user ? viewUser(user, clock.now()) : undefined;
    },
    eraseAccount: deps.eraseAccount,
  };
};
