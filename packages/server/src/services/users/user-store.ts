import type { Purpose, ShareLevel } from '@pufftrack/contract';
import { Schema, trusted, type ClientSession, type Connection } from 'mongoose';
import { wholeBatch } from '../../platform/mongo/batch.ts';
import type { ConsentState, Profile, UserRecord } from './user.ts';

interface UserDoc extends Profile {
  _id: string;
  email: string | null;
  createdAt: Date;
  lastLoginAt: Date;
  /** Every zone the person has lived in, oldest first (domain.md D1). */
  timeZones: { timeZone: string; from: Date }[];
  friendCode: string;
  ageBand: '18+' | 'under-18';
  settingsVersion: number;
  /** Moves with every friend request from or to the person, so that of two at once one sees the other. */
  requestCount: number;
  consents: { purpose: Purpose; version: string; granted: boolean; at: Date }[];
}

/** One word of a person on one purpose; rows are added and never changed (PRIV-1). */
interface ConsentRecordDoc {
  userId: string;
  purpose: Purpose;
  version: string;
  action: 'grant' | 'withdraw';
  at: Date;
}

const userSchema = new Schema<UserDoc>(
  {
    _id: { type: String, required: true },
    name: { type: String, default: null },
    email: { type: String, default: null },
    createdAt: { type: Date, required: true },
    lastLoginAt: { type: Date, required: true },
    timeZone: { type: String, required: true },
    timeZones: [{ _id: false, timeZone: String, from: Date }],
    locale: { type: String, required: true },
    dayStartHour: { type: Number, required: true },
    weekStart: { type: String, required: true },
    product: { type: String, required: true },
    friendCode: { type: String, required: true },
    defaultShareLevel: { type: String, required: true },
    ageBand: { type: String, required: true },
    settingsVersion: { type: Number, required: true },
    requestCount: { type: Number, default: 0 },
    consents: [{ _id: false, purpose: String, version: String, granted: Boolean, at: Date }],
  },
  { collection: 'users', versionKey: false },
);
userSchema.index({ friendCode: 1 }, { unique: true });
userSchema.index({ timeZone: 1, dayStartHour: 1, _id: 1 });

const consentRecordSchema = new Schema<ConsentRecordDoc>(
  {
    userId: { type: String, required: true, immutable: true },
    purpose: { type: String, required: true, immutable: true },
    version: { type: String, required: true, immutable: true },
    action: { type: String, enum: ['grant', 'withdraw'], required: true, immutable: true },
    at: { type: Date, required: true, immutable: true },
  },
  { collection: 'consentrecords', versionKey: false },
);
consentRecordSchema.index({ userId: 1, at: 1 });

/** Whom a job goes through: everybody, or those whose local days turn together. */
export interface PeoplePage {
  readonly dayTurn?: { readonly timeZone: string; readonly dayStartHour: number };
  /** The last `userId` of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

export interface UserStore {
  ensureIndexes(): Promise<void>;
  insert(user: UserRecord, tx: ClientSession): Promise<void>;
  find(userId: string, tx?: ClientSession): Promise<UserRecord | undefined>;
  findMany(userIds: readonly string[]): Promise<UserRecord[]>;
  findByFriendCode(friendCode: string, tx: ClientSession): Promise<UserRecord | undefined>;
  /** In the order of their ids. */
  listPage(page: PeoplePage): Promise<UserRecord[]>;
  /** Every zone that somebody lives in, as it is spelled there. */
  listTimeZones(): Promise<string[]>;
  /** Undefined where there is nobody; `at` (ms) is when a new zone begins to hold. */
  changeProfile(userId: string, changes: Partial<Profile>, at: number): Promise<UserRecord | undefined>;
  /** Moves `settingsVersion`, and with it makes two transactions conflict that change one person's settings. */
  bumpSettingsVersion(userId: string, tx: ClientSession): Promise<UserRecord | undefined>;
  recordSignIn(
    userId: string,
    signIn: { at: number; name: string | null; email: string | null; timeZone: string | undefined },
    tx: ClientSession,
  ): Promise<void>;
  /** The newest words, with a ledger row for each change. */
  saveConsents(
    userId: string,
    consents: readonly ConsentState[],
    changes: readonly ConsentState[],
    tx: ClientSession,
  ): Promise<void>;
  /** Makes two transactions conflict that ask for friendships from or to one person. */
  touchRequests(userId: string, tx: ClientSession): Promise<void>;
}

export const createUserStore = (connection: Connection): UserStore => {
  const users = connection.model('User', userSchema);
  const consentRecords = connection.model('ConsentRecord', consentRecordSchema);

  const addToLedger = async (userId: string, changes: readonly ConsentState[], tx: ClientSession) => {
    await consentRecords.insertMany(
      changes.map(({ purpose, version, granted, at }) => ({
        userId,
        purpose,
        version,
        action: granted ? 'grant' : 'withdraw',
        at: new Date(at),
      })),
      { session: tx },
    );
  };

  return {
    async ensureIndexes() {
      for (const model of [users, consentRecords]) {
        await model.createCollection();
        await model.createIndexes();
      }
    },
    async insert(user, tx) {
      await users.insertMany([toDoc(user)], { session: tx });
      await addToLedger(user.userId, user.consents, tx);
    },
    async find(userId, tx) {
      const doc = await users
        .findById(userId)
        .session(tx ?? null)
        .lean<UserDoc>();
      return doc ? toUser(doc) : undefined;
    },
    async findMany(userIds) {
      const docs = await users
        .find({ _id: trusted({ $in: [...userIds] }) })
        .batchSize(wholeBatch)
        .lean<UserDoc[]>();
      return docs.map(toUser);
    },
    async findByFriendCode(friendCode, tx) {
      const doc = await users.findOne({ friendCode }).session(tx).lean<UserDoc>();
      return doc ? toUser(doc) : undefined;
    },
    async listPage({ dayTurn, after, limit }) {
      const docs = await users
        .find({ ...dayTurn, ...(after !== undefined && { _id: trusted({ $gt: after }) }) })
        .sort({ _id: 1 })
        .limit(limit)
        .lean<UserDoc[]>();
      return docs.map(toUser);
    },
    listTimeZones: () => users.distinct('timeZone'),
    async changeProfile(userId, changes, at) {
      const doc = await users
        .findOneAndUpdate(
          { _id: userId },
          {
            $set: changes,
            $inc: { settingsVersion: 1 },
            ...(changes.timeZone !== undefined && {
              $push: { timeZones: { timeZone: changes.timeZone, from: new Date(at) } },
            }),
          },
          { returnDocument: 'after' },
        )
        .lean<UserDoc>();
      return doc ? toUser(doc) : undefined;
    },
    async bumpSettingsVersion(userId, tx) {
      const doc = await users
        .findOneAndUpdate(
          { _id: userId },
          { $inc: { settingsVersion: 1 } },
          { returnDocument: 'after', session: tx },
        )
        .lean<UserDoc>();
      return doc ? toUser(doc) : undefined;
    },
    async recordSignIn(userId, { at, name, email, timeZone }, tx) {
      const before = await users.findById(userId).session(tx).lean<UserDoc>();
      if (!before) return;
      const moved = timeZone !== undefined && timeZone !== before.timeZone;
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
    async saveConsents(userId, consents, changes, tx) {
      await users.updateOne(
        { _id: userId },
        { $set: { consents: consents.map(toConsentDoc) }, $inc: { settingsVersion: 1 } },
        { session: tx },
      );
      await addToLedger(userId, changes, tx);
    },
    async touchRequests(userId, tx) {
      await users.updateOne({ _id: userId }, { $inc: { requestCount: 1 } }, { session: tx });
    },
  };
};

const toConsentDoc = ({ at, ...consent }: ConsentState) => ({ ...consent, at: new Date(at) });

const toDoc = ({
  userId,
  createdAt,
  lastLoginAt,
  timeZones,
  consents,
  ...user
}: UserRecord): Omit<UserDoc, 'requestCount'> => ({
  _id: userId,
  ...user,
  createdAt: new Date(createdAt),
  lastLoginAt: new Date(lastLoginAt),
  timeZones: timeZones.map(({ timeZone, from }) => ({ timeZone, from: new Date(from) })),
  consents: consents.map(toConsentDoc),
});

const toUser = (doc: UserDoc): UserRecord => ({
  userId: doc._id,
  name: doc.name,
  email: doc.email,
  createdAt: doc.createdAt.getTime(),
  lastLoginAt: doc.lastLoginAt.getTime(),
  timeZone: doc.timeZone,
  timeZones: doc.timeZones.map(({ timeZone, from }) => ({ timeZone, from: from.getTime() })),
  locale: doc.locale,
  dayStartHour: doc.dayStartHour,
  weekStart: doc.weekStart,
  product: doc.product,
  friendCode: doc.friendCode,
  defaultShareLevel: doc.defaultShareLevel satisfies ShareLevel,
  ageBand: doc.ageBand,
  settingsVersion: doc.settingsVersion,
  consents: doc.consents.map(({ purpose, version, granted, at }) => ({
    purpose,
    version,
    granted,
    at: at.getTime(),
  })),
});
