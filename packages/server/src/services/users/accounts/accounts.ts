import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { newId, randomCode } from '../../../platform/ids.ts';
import type { Accounts } from '../../auth/index.ts';
import type { Erasures } from '../privacy/erasures.ts';
import { friendCodeLength } from '../friends/friend-code.ts';
import type { UserSettingsCache } from './user-settings-cache.ts';
import { defaultProfile, requireVersionsInForce, withConsents } from './user.ts';
import type { UserService } from './user-service.ts';
import type { UserStore } from './user-store.ts';
import { viewUser } from './user-view.ts';

/** What a sign-in needs of people. */
export const createAccounts = (deps: {
  store: UserStore;
  userSettings: UserSettingsCache;
  erasures: Pick<Erasures, 'begin'>;
  consents: Pick<UserService, 'applyConsents' | 'consentsCommitted'>;
  clock: Clock;
  isKnownZone: (name: string) => boolean;
}): Accounts => {
  const { store, userSettings, clock } = deps;
  // A phone with newer zone data than the server still signs in; the app patches the zone later.
  const known = (timeZone: string | undefined) =>
    timeZone !== undefined && deps.isKnownZone(timeZone) ? timeZone : undefined;

  return {
    checkNewAccount({ ageBand, consents }) {
      if (ageBand === undefined)
        throw new DomainError('age-confirmation-required', {
          detail: 'Ask for the age band and send the same body with `ageBand`.',
        });
      if (ageBand === 'under-18')
        throw new DomainError('under-age', { detail: 'PuffTrack is for people of 18 and older.' });
      requireVersionsInForce(consents ?? []);
    },
    checkConsents({ consents }) {
      requireVersionsInForce(consents ?? []);
    },
    async openAccount({ name, email, timeZone, consents }, tx) {
      const now = clock.now();
      const userId = newId();
      const zone = known(timeZone) ?? defaultProfile.timeZone;
      await store.insert(
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
      await store.recordSignIn(userId, { at: clock.now(), name, email, timeZone: known(timeZone) }, tx);
      const granted = (consents ?? []).map((consent) => ({ ...consent, granted: true }));
      if (granted.length === 0) return () => Promise.resolve();
      const changed = await deps.consents.applyConsents(userId, granted, tx);
      return () => deps.consents.consentsCommitted(changed);
    },
    async view(userId) {
      const user = await store.find(userId);
      if (user) userSettings.put(user);
      return user ? viewUser(user, clock.now()) : undefined;
    },
    async eraseAccount(userId, log) {
      await deps.erasures.begin(userId, { log });
    },
  };
};
