import { cleanText, type Purpose, type ShareLevel } from '@pufftrack/contract';
import { Schema, trusted, type ClientSession, type Connection } from 'mongoose';
import { wholeBatch } from '../../../platform/mongo/batch.ts';
import { createConsentLedger } from '../privacy/consent-ledger.ts';
import { hasRoomFor, maxZonePeriods, profileUpdate, zonesFull } from './profile-update.ts';
import type { ConsentState, Ghost, Profile, UserRecord } from './user.ts';

export interface UserDoc extends Profile {
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
  /** Moves with everything that decides who hears of this person's puffs; see audience-store.ts. */
  audienceVersion: number;
  /** When it moved last, by the clock of the database. */
  audienceChangedAt?: Date;
  ghost?: { since: Date; until: Date | null; summary: Ghost['summary'] };
  sharesSince?: Date;
  nameHidden?: boolean;
  consents: { purpose: Purpose; version: string; granted: boolean; at: Date }[];
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
    audienceVersion: { type: Number, default: 0 },
    audienceChangedAt: Date,
    ghost: {
      type: { _id: false, since: Date, until: Date, summary: Schema.Types.Mixed },
      default: undefined,
    },
    sharesSince: Date,
    nameHidden: Boolean,
    consents: [{ _id: false, purpose: String, version: String, granted: Boolean, at: Date }],
  },
  { collection: 'users', versionKey: false },
);
userSchema.index({ friendCode: 1 }, { unique: true });
userSchema.index({ timeZone: 1, dayStartHour: 1, _id: 1 });
userSchema.index({ audienceChangedAt: 1 }, { sparse: true });
userSchema.index({ 'ghost.until': 1 }, { partialFilterExpression: { 'ghost.until': { $type: 'date' } } });

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
  /**
   * Undefined for an unknown user; `at` (ms) is when a new zone begins to hold. Throws `limit-reached` for a new zone
   * where the history of zones has `maxZonePeriods` entries.
   */
  changeProfile(userId: string, changes: Partial<Profile>, at: number): Promise<UserRecord | undefined>;
  /** Moves `settingsVersion`, and with it makes two transactions conflict that change one person's settings. */
  bumpSettingsVersion(userId: string, tx: ClientSession): Promise<UserRecord | undefined>;
  recordSignIn(
    userId: string,
    signIn: { at: number; name: string | null; email: string | null; timeZone: string | undefined },
    tx: ClientSession,
  ): Promise<void>;
  countConsentRecords(userId: string, tx: ClientSession): Promise<number>;
  /** The newest words, with a ledger row for each change. */
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
   * Makes two transactions conflict that ask for friendships from or to one person, or end one's account; false where
   * there is nobody.
   */
  lockForUpdate(userId: string, tx: ClientSession): Promise<boolean>;
  /** Those of these people who are not there. */
  findDeletedUsers(userIds: readonly string[]): Promise<string[]>;
  /** Deletes the account alone; false where there is none (any more). */
  remove(userId: string, tx: ClientSession): Promise<boolean>;
  /** Everything else that is kept here of this person; answers how many rows there were. */
  removeAll(userId: string): Promise<number>;
  /** False where there is nobody. */
  setFriendCode(userId: string, friendCode: string, tx: ClientSession): Promise<boolean>;
  /** Undefined where there is nobody. */
  setNameHidden(userId: string, nameHidden: boolean, tx: ClientSession): Promise<UserRecord | undefined>;
}

const compileUsers = (connection: Connection) => connection.model('User', userSchema);

/** The collection of people; audience-store.ts writes to it too. */
export const usersOf = (connection: Connection): ReturnType<typeof compileUsers> =>
  (connection.models['User'] as ReturnType<typeof compileUsers> | undefined) ?? compileUsers(connection);

export const createUserStore = (connection: Connection): UserStore => {
  const users = usersOf(connection);
  const ledger = createConsentLedger(connection);

  return {
    async ensureIndexes() {
      await users.createCollection();
      await users.createIndexes();
      await ledger.ensureIndexes();
    },
    async insert(user, tx) {
      await users.insertMany([toDoc(user)], { session: tx });
      await ledger.add(user.userId, user.consents, tx);
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
        .findOneAndUpdate({ _id: userId, ...hasRoomFor(changes) }, profileUpdate(changes, at), {
          returnDocument: 'after',
          updatePipeline: true,
        })
        .lean<UserDoc>();
      if (doc) return toUser(doc);
      if (changes.timeZone !== undefined && (await users.exists({ _id: userId }))) throw zonesFull();
      return undefined;
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
      // A full history of zones is no reason to refuse a sign-in; the app patches the zone, and is told then.
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
    async findDeletedUsers(userIds) {
      const docs = await users
        .find({ _id: trusted({ $in: [...userIds] }) }, { _id: 1 })
        .lean<{ _id: string }[]>();
      const there = new Set(docs.map(({ _id }) => _id));
      return userIds.filter((userId) => !there.has(userId));
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
      const doc = await users
        .findOneAndUpdate(
          { _id: userId },
          { $set: { nameHidden }, $inc: { settingsVersion: 1 } },
          { returnDocument: 'after', session: tx },
        )
        .lean<UserDoc>();
      return doc ? toUser(doc) : undefined;
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
  ghost,
  sharesSince,
  ...user
}: UserRecord): Omit<UserDoc, 'requestCount' | 'audienceVersion'> => ({
  _id: userId,
  ...user,
  createdAt: new Date(createdAt),
  lastLoginAt: new Date(lastLoginAt),
  timeZones: timeZones.map(({ timeZone, from }) => ({ timeZone, from: new Date(from) })),
  consents: consents.map(toConsentDoc),
  ...(ghost && { ghost: toGhostDoc(ghost) }),
  sharesSince: new Date(sharesSince),
});

export const toGhostDoc = ({ since, until, summary }: Ghost) => ({
  since: new Date(since),
  until: until === null ? null : new Date(until),
  summary,
});

/** Names that an earlier version accepted may hold what is invisible or turns the direction of the text around them. */
const nameOf = ({ name }: UserDoc): string | null => (name === null ? null : cleanText(name) || null);

export const toUser = (doc: UserDoc): UserRecord => ({
  userId: doc._id,
  name: nameOf(doc),
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
  ghost: doc.ghost
    ? {
        since: doc.ghost.since.getTime(),
        until: doc.ghost.until?.getTime() ?? null,
        summary: doc.ghost.summary,
      }
    : null,
  sharesSince: (doc.sharesSince ?? doc.createdAt).getTime(),
  nameHidden: doc.nameHidden === true,
});
