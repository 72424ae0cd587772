import type { Consent, ConsentChange } from '@pufftrack/contract';
import type { ClientSession, Connection } from 'mongoose';
import { isProcessed } from '../../../domain/consents.ts';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import {
  mayShare,
  newConsents,
  requireVersionsInForce,
  withConsents,
  withKnownVersions,
} from '../consents/consent.ts';
import { maxConsentRecords } from '../consents/consent-ledger.ts';
import type { PendingWrites } from '../ports.ts';
import { accountGone, settingsOf, type UserSettings, type UserRecord } from './user.ts';
import type { UserSettingsCache } from './user-settings-cache.ts';
import type { UserStore } from './user-store.ts';
import { viewConsent } from './user-view.ts';

/** A user before and after a change of consents. */
export interface ChangedConsents {
  readonly before: UserRecord;
  readonly after: UserRecord;
}

export interface ConsentService {
  list(userId: string): Promise<Consent[]>;
  change(userId: string, changes: readonly ConsentChange[]): Promise<Consent[]>;
  /**
   * The part of `change` inside the transaction `tx`, for a sign-in that carries consents. Its result goes to
   * `committed` after the commit. Throws `consent-version` before it writes.
   */
  apply(userId: string, changes: readonly ConsentChange[], tx: ClientSession): Promise<ChangedConsents>;
  committed(changed: ChangedConsents): Promise<void>;
}

export const createConsentService = (deps: {
  connection: Connection;
  users: UserStore;
  userSettings: UserSettingsCache;
  /** Part of the transaction that changes what friends may see. */
  markAudienceChanged: (userIds: readonly string[], tx: ClientSession) => Promise<void>;
  /** After that transaction: what friends may see has changed. */
  onConsentsChanged: (before: UserSettings, after: UserSettings) => Promise<void>;
  pendingWrites: PendingWrites;
  clock: Clock;
}): ConsentService => {
  const { users, userSettings, clock } = deps;

  const requireLedgerRoom = async (userId: string, added: number, tx: ClientSession): Promise<void> => {
    if ((await users.countConsentRecords(userId, tx)) + added > maxConsentRecords)
      throw new DomainError('limit-reached', {
        detail: `The record of consents is full: it has ${maxConsentRecords} entries. Consents can be withdrawn.`,
        limit: maxConsentRecords,
      });
  };

  const service: ConsentService = {
    async list(userId) {
      return ((await users.find(userId)) ?? accountGone()).consents.map(viewConsent);
    },
    async change(userId, changes) {
      const changed = await inTransaction(
        deps.connection,
        (tx) => service.apply(userId, changes, tx),
        () => void userSettings.republish(userId),
      );
      await service.committed(changed);
      return changed.after.consents.map(viewConsent);
    },
    async apply(userId, changes, tx) {
      requireVersionsInForce(changes);
      const user = (await users.find(userId, tx)) ?? accountGone();
      const now = clock.now();
      const known = withKnownVersions(user.consents, changes);
      const events = newConsents(user.consents, known).map((change) => ({ ...change, at: now }));
      if (events.length === 0) return { before: user, after: user };
      // A withdrawal is always accepted, also where the ledger is full.
      if (events.some(({ granted }) => granted)) await requireLedgerRoom(userId, events.length, tx);
      const consents = withConsents(user.consents, events);
      const sharingChanged = mayShare(settingsOf(user)) !== mayShare(settingsOf({ ...user, consents }));
      const sharesSince = sharingChanged ? now : user.sharesSince;
      await users.saveConsents(userId, { consents, changes: events, sharesSince }, tx);
      if (sharingChanged) await deps.markAudienceChanged([userId], tx);
      const settingsVersion = user.settingsVersion + 1;
      return { before: user, after: { ...user, consents, sharesSince, settingsVersion } };
    },
    async committed({ before, after }) {
      const settings = userSettings.publish(after);
      try {
        await deps.onConsentsChanged(settingsOf(before), settings);
      } finally {
        // `publish` stops the admission of writes in this process; after the drain none of the earlier ones is stored.
        if (!isProcessed(settings)) await deps.pendingWrites.drainUser(settings.userId);
      }
    },
  };
  return service;
};
