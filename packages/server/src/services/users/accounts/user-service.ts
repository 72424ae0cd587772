import type { Consent, ConsentChange, User, UserPatch } from '@pufftrack/contract';
import type { ClientSession, Connection } from 'mongoose';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { randomCode } from '../../../platform/ids.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import type { AudienceStore } from '../sharing/audience-store.ts';
import { maxConsentRecords } from '../privacy/consent-ledger.ts';
import { friendCodeLength } from '../friends/friend-code.ts';
import { mayShare } from '../friends/friendship.ts';
import type { UserSettingsCache } from './user-settings-cache.ts';
import {
  isProcessed,
  newConsents,
  profileChanges,
  requireVersionsInForce,
  settingsOf,
  withConsents,
  withKnownVersions,
  type PersonSettings,
  type UserRecord,
} from './user.ts';
import type { UserStore } from './user-store.ts';
import { viewConsent, viewUser } from './user-view.ts';

/** A person before and after a change of their consents. */
export interface ChangedConsents {
  readonly before: UserRecord;
  readonly after: UserRecord;
}

export interface UserService {
  me(userId: string): Promise<User>;
  change(userId: string, patch: UserPatch): Promise<User>;
  consents(userId: string): Promise<Consent[]>;
  changeConsents(userId: string, changes: readonly ConsentChange[]): Promise<Consent[]>;
  /**
   * The part of `changeConsents` inside the transaction `tx`, for a sign-in that brings consents. What it answers goes to
   * `consentsCommitted` after the commit. Throws `consent-version` before it writes.
   */
  applyConsents(
    userId: string,
    changes: readonly ConsentChange[],
    tx: ClientSession,
  ): Promise<ChangedConsents>;
  consentsCommitted(changed: ChangedConsents): Promise<void>;
  /** A new code; the old one is nobody's from then on. */
  rotateFriendCode(userId: string): Promise<string>;
}

export const createUserService = (deps: {
  connection: Connection;
  store: UserStore;
  audiences: Pick<AudienceStore, 'move'>;
  userSettings: UserSettingsCache;
  clock: Clock;
  isKnownZone: (name: string) => boolean;
  /** Names the fields that the person has set, whether or not their value is new. */
  onProfileChanged: (person: PersonSettings, fields: readonly string[]) => Promise<void>;
  /**
   * Resolves when nothing of this person that was admitted before is under way in this process: it is stored or refused.
   */
  drainWrites: (userId: string) => Promise<void>;
  /** What may flow out to friends has changed. */
  onConsentsChanged: (before: PersonSettings, after: PersonSettings) => Promise<void>;
}): UserService => {
  const { store, userSettings, clock } = deps;

  /** A withdrawal needs none: it is always taken. */
  const requireRoom = async (userId: string, added: number, tx: ClientSession): Promise<void> => {
    if ((await store.countConsentRecords(userId, tx)) + added > maxConsentRecords)
      throw new DomainError('limit-reached', {
        detail: `The record of consents is full: it has ${maxConsentRecords} entries. Consents can be withdrawn.`,
        limit: maxConsentRecords,
      });
  };

  const service: UserService = {
    async me(userId) {
      return viewUser((await store.find(userId)) ?? gone(), clock.now());
    },
    async change(userId, patch) {
      const changes = profileChanges(patch, deps.isKnownZone);
      const user = await store.changeProfile(userId, changes, clock.now());
      if (!user) return gone();
      await deps.onProfileChanged(userSettings.publish(user), Object.keys(changes));
      return viewUser(user, clock.now());
    },
    async consents(userId) {
      return ((await store.find(userId)) ?? gone()).consents.map(viewConsent);
    },
    async changeConsents(userId, changes) {
      const changed = await inTransaction(
        deps.connection,
        (tx) => service.applyConsents(userId, changes, tx),
        () => void userSettings.republish(userId),
      );
      await service.consentsCommitted(changed);
      return changed.after.consents.map(viewConsent);
    },
    async applyConsents(userId, changes, tx) {
      requireVersionsInForce(changes);
      const user = (await store.find(userId, tx)) ?? gone();
      const now = clock.now();
      const words = newConsents(user.consents, withKnownVersions(user.consents, changes)).map((change) => ({
        ...change,
        at: now,
      }));
      if (words.length === 0) return { before: user, after: user };
      if (words.some(({ granted }) => granted)) await requireRoom(userId, words.length, tx);
      const consents = withConsents(user.consents, words);
      const sharing = mayShare(settingsOf(user)) !== mayShare(settingsOf({ ...user, consents }));
      const sharesSince = sharing ? now : user.sharesSince;
      await store.saveConsents(userId, { consents, changes: words, sharesSince }, tx);
      if (sharing) await deps.audiences.move([userId], tx);
      const settingsVersion = user.settingsVersion + 1;
      return { before: user, after: { ...user, consents, sharesSince, settingsVersion } };
    },
    async consentsCommitted({ before, after }) {
      const person = userSettings.publish(after);
      try {
        await deps.onConsentsChanged(settingsOf(before), person);
      } finally {
        // From `userSettings.publish` on nothing more is admitted here; the answer says that nothing of before is stored later.
        if (!isProcessed(person)) await deps.drainWrites(person.userId);
      }
    },
    async rotateFriendCode(userId) {
      // A code that somebody has already is a duplicate key, on which the transaction runs again with another one.
      return inTransaction(deps.connection, async (tx) => {
        const friendCode = randomCode(friendCodeLength);
        return (await store.setFriendCode(userId, friendCode, tx)) ? friendCode : gone();
      });
    },
  };
  return service;
};

const gone = (): never => {
  throw new DomainError('account-gone', { detail: 'This account does not exist any more.' });
};
