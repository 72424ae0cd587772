import type { ClientSession, Connection } from 'mongoose';
import { wholeListBatchSize } from '../../../platform/mongo/batch.ts';
import { createConsentLedger } from '../consents/consent-ledger.ts';
import type { ConsentState } from '../consents/consent.ts';
import { hasRoomFor, maxZonePeriods, profileUpdate, zonesFull } from './profile-update.ts';
import type { Profile, UserRecord } from './user.ts';
import { toConsentDoc, toDoc, toUser, usersOf } from './user-documents.ts';

export interface UserStore {
  ensureIndexes(): Promise<void>;
  insert(user: UserRecord, tx: ClientSession): Promise<void>;
  find(userId: string, tx?: ClientSession): Promise<UserRecord | undefined>;
  findMany(userIds: readonly string[]): Promise<UserRecord[]>;
  findByFriendCode(friendCode: string, tx: ClientSession): Promise<UserRecord | undefined>;
  /**
   * Undefined for an unknown user; `at` (ms) is when a new zone begins to hold. Throws `limit-reached` for a new zone
   * where the history of zones has `maxZonePeriods` entries.
   */
  changeProfile(userId: string, changes: Partial<Profile>, at: number): Promise<UserRecord | undefined>;
  /** Increments `settingsVersion`, so that two transactions that change one user's settings conflict. */
  bumpSettingsVersion(userId: string, tx: ClientSession): Promise<UserRecord | undefined>;
  recordSignIn(
    userId: string,
    signIn: { at: number; name: string | null; email: string | null; timeZone: string | undefined },
    tx: ClientSession,
  ): Promise<void>;
  countConsentRecords(userId: string, tx: ClientSession): Promise<number>;
  /** Stores the newest consents, with a ledger row per change. */
  saveConsents(
    userId: string,
    saved: {
      consents: readonly ConsentState[];
      changes: readonly ConsentState[];
      /** ms */
      sharesSince: number;
    },
    tx: ClientSession,
  ): Promise<void>;
  /**
   * Makes two transactions conflict that create friendships, friend requests, blocks or reports of one user, or delete the
   * account; false for an unknown user.
   */
  lockForUpdate(userId: string, tx: ClientSession): Promise<boolean>;
  /** Deletes the account alone; false for an unknown user. */
  remove(userId: string, tx: ClientSession): Promise<boolean>;
  /** Deletes everything else stored here about this user; returns the number of rows. */
  removeAll(userId: string): Promise<number>;
  /** False for an unknown user. */
  setFriendCode(userId: string, friendCode: string, tx: ClientSession): Promise<boolean>;
  /** Undefined for an unknown user. */
  setNameHidden(userId: string, nameHidden: boolean, tx: ClientSession): Promise<UserRecord | undefined>;
}

export const createUserStore = (connection: Connection): UserStore => {
  const { collection: users, ensureIndexes: ensureUsers } = usersOf(connection);
  const ledger = createConsentLedger(connection);

  return {
    async ensureIndexes() {
      await ensureUsers();
      await ledger.ensureIndexes();
    },
    async insert(user, tx) {
      await users.insertOne(toDoc(user), { session: tx });
      await ledger.add(user.userId, user.consents, tx);
    },
    async find(userId, tx) {
      const doc = await users.findOne({ _id: userId }, tx ? { session: tx } : {});
      return doc ? toUser(doc) : undefined;
    },
    async findMany(userIds) {
      const docs = await users
        .find({ _id: { $in: [...userIds] } }, { batchSize: wholeListBatchSize })
        .toArray();
      return docs.map(toUser);
    },
    async findByFriendCode(friendCode, tx) {
      const doc = await users.findOne({ friendCode }, { session: tx });
      return doc ? toUser(doc) : undefined;
    },
    async changeProfile(userId, changes, at) {
      const doc = await users.findOneAndUpdate(
        { _id: userId, ...hasRoomFor(changes) },
        profileUpdate(changes, at),
        { returnDocument: 'after' },
      );
      if (doc) return toUser(doc);
      if (
        changes.timeZone !== undefined &&
        (await users.findOne({ _id: userId }, { projection: { _id: 1 } }))
      )
        throw zonesFull();
      return undefined;
    },
    async bumpSettingsVersion(userId, tx) {
      const doc = await users.findOneAndUpdate(
        { _id: userId },
        { $inc: { settingsVersion: 1 } },
        { returnDocument: 'after', session: tx },
      );
      return doc ? toUser(doc) : undefined;
    },
    async recordSignIn(userId, { at, name, email, timeZone }, tx) {
      const before = await users.findOne({ _id: userId }, { session: tx });
      if (!before) return;
      // A full history of zones must not reject a sign-in; the app patches the zone later and gets the error then.
      const moved =
        timeZone !== undefined && timeZone !== before.timeZone && before.timeZones.length < maxZonePeriods;
      await users.updateOne(
        { _id: userId },
        {
          $set: {
            lastLoginAt: new Date(at),
            ...(before.name === null && name !== null && { name }),
            ...(email !== null && { email }),
            ...(moved && { timeZone }),
          },
          $inc: { settingsVersion: 1 },
          ...(moved && { $push: { timeZones: { timeZone, from: new Date(at) } } }),
        },
        { session: tx },
      );
    },
    countConsentRecords: ledger.count,
    async saveConsents(userId, { consents, changes, sharesSince }, tx) {
      await users.updateOne(
        { _id: userId },
        {
          $set: { consents: consents.map(toConsentDoc), sharesSince: new Date(sharesSince) },
          $inc: { settingsVersion: 1 },
        },
        { session: tx },
      );
      await ledger.add(userId, changes, tx);
    },
    async lockForUpdate(userId, tx) {
      const { matchedCount } = await users.updateOne(
        { _id: userId },
        { $inc: { requestCount: 1 } },
        { session: tx },
      );
      return matchedCount === 1;
    },
    async remove(userId, tx) {
      const { deletedCount } = await users.deleteOne({ _id: userId }, { session: tx });
      return deletedCount === 1;
    },
    removeAll: ledger.removeAll,
    async setFriendCode(userId, friendCode, tx) {
      const { matchedCount } = await users.updateOne(
        { _id: userId },
        { $set: { friendCode } },
        { session: tx },
      );
      return matchedCount === 1;
    },
    async setNameHidden(userId, nameHidden, tx) {
      const doc = await users.findOneAndUpdate(
        { _id: userId },
        { $set: { nameHidden }, $inc: { settingsVersion: 1 } },
        { returnDocument: 'after', session: tx },
      );
      return doc ? toUser(doc) : undefined;
    },
  };
};
