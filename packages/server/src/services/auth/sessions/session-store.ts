import type { ClientSession } from 'mongodb';
import { Schema, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';
import { backgroundLimit } from '../../../platform/mongo/time-limits.ts';
import { keepEndedMs, utcDayOf, type Device, type EndReason, type StoredSession } from './session.ts';

interface SessionDoc {
  _id: string;
  userId: string;
  number: number;
  device: Device;
  createdAt: Date;
  authenticatedAt: Date;
  lastUsedOn: string;
  refreshCounter: number;
  rotatedAt: Date;
  successorUsedAt: Date | null;
  sealedKey: string;
  idleExpiresAt: Date;
  expiresAt: Date;
  endedAt: Date | null;
  endedReason: EndReason | null;
  /** When the row is deleted. */
  purgeAt: Date;
}

const sessionSchema = new Schema<SessionDoc>({
  _id: { type: String, required: true },
  userId: { type: String, required: true },
  number: { type: Number, required: true },
  device: { type: Schema.Types.Mixed, required: true },
  createdAt: { type: Date, required: true },
  authenticatedAt: { type: Date, required: true },
  lastUsedOn: { type: String, required: true },
  refreshCounter: { type: Number, required: true },
  rotatedAt: { type: Date, required: true },
  successorUsedAt: Date,
  sealedKey: { type: String, required: true },
  idleExpiresAt: { type: Date, required: true },
  expiresAt: { type: Date, required: true },
  endedAt: Date,
  endedReason: String,
  purgeAt: { type: Date, required: true },
});
sessionSchema.index({ userId: 1, endedAt: 1 });
sessionSchema.index({ userId: 1, 'device.id': 1 });
sessionSchema.index({ purgeAt: 1 });

export interface SessionStore {
  ensureIndexes(): Promise<void>;
  insert(session: StoredSession, tx: ClientSession): Promise<void>;
  find(id: string): Promise<StoredSession | undefined>;
  /** The sessions of an account that have neither ended nor expired, oldest first. */
  listLive(userId: string, now: number, tx?: ClientSession): Promise<StoredSession[]>;
  /** Whether any stored session of the account, live or ended, is on this device. */
  hasDevice(userId: string, deviceId: string, tx: ClientSession): Promise<boolean>;
  /** The ended or deleted sessions among `ids`, with the reason; one query if there is none. */
  findEnded(ids: readonly string[]): Promise<{ id: string; reason: EndReason }[]>;
  /** Advances to the next refresh token; undefined if a concurrent call did so, or the session has ended. */
  rotate(
    from: Pick<StoredSession, 'id' | 'refreshCounter'>,
    to: { now: number; lastUsedOn: string; idleExpiresAt: number },
  ): Promise<StoredSession | undefined>;
  /** Extends the idle limit without a rotation; undefined if the session was rotated concurrently, or has ended. */
  keepAlive(
    session: Pick<StoredSession, 'id' | 'refreshCounter'>,
    to: { lastUsedOn: string; idleExpiresAt: number },
  ): Promise<StoredSession | undefined>;
  /** Records the first use of the tokens of `refreshCounter`. */
  markSuccessorUsed(id: string, refreshCounter: number, now: number): Promise<void>;
  /** True for exactly one caller. */
  end(id: string, reason: EndReason, now: number, tx?: ClientSession): Promise<boolean>;
  /** Like `end`, for a live session of this account; false otherwise. */
  endOwn(of: { id: string; userId: string }, reason: EndReason, now: number): Promise<boolean>;
  /**
   * Ends every session of a deleted account and removes everything but the key of its refresh tokens, so that clients
   * still get `account-gone`. Returns the number of sessions.
   */
  anonymizeAll(userId: string, now: number, tx?: ClientSession): Promise<number>;
  removeLongEnded(now: number): Promise<void>;
}

export const createSessionStore = (connection: Connection): SessionStore => {
  const { collection: sessions, ensureIndexes } = collectionOf(connection, 'sessions', sessionSchema);
  return {
    ensureIndexes,
    async insert(session, tx) {
      await sessions.insertOne(toDoc(session), { session: tx });
    },
    async find(id) {
      const doc = await sessions.findOne({ _id: id });
      return doc ? fromDoc(doc) : undefined;
    },
    async listLive(userId, now, tx) {
      const at = new Date(now);
      const docs = await sessions
        .find(
          { userId, endedAt: null, expiresAt: { $gt: at }, idleExpiresAt: { $gt: at } },
          { ...(tx && { session: tx }), sort: { number: 1 } },
        )
        .toArray();
      return docs.map(fromDoc);
    },
    async hasDevice(userId, deviceId, tx) {
      return (await sessions.findOne({ userId, 'device.id': deviceId }, { session: tx })) !== null;
    },
    async findEnded(ids) {
      const alive = await sessions
        .find({ _id: { $in: [...ids] }, endedAt: null }, { projection: { _id: 1 } })
        .toArray();
      if (alive.length === ids.length) return [];
      const aliveIds = new Set(alive.map(({ _id }) => _id));
      const others = ids.filter((id) => !aliveIds.has(id));
      const docs = await sessions
        .find({ _id: { $in: others } }, { projection: { endedReason: 1 } })
        .toArray();
      const reasons = new Map(docs.map(({ _id, endedReason }) => [_id, endedReason]));
      return others.map((id) => ({ id, reason: reasons.get(id) ?? 'logout' }));
    },
    async rotate({ id, refreshCounter }, { now, ...use }) {
      const doc = await sessions.findOneAndUpdate(
        { _id: id, refreshCounter, endedAt: null },
        {
          $set: {
            refreshCounter: refreshCounter + 1,
            rotatedAt: new Date(now),
            successorUsedAt: null,
            ...usedUntil(use),
          },
        },
        { returnDocument: 'after' },
      );
      return doc ? fromDoc(doc) : undefined;
    },
    async keepAlive({ id, refreshCounter }, use) {
      const doc = await sessions.findOneAndUpdate(
        { _id: id, refreshCounter, endedAt: null },
        { $set: usedUntil(use) },
        { returnDocument: 'after' },
      );
      return doc ? fromDoc(doc) : undefined;
    },
    async markSuccessorUsed(id, refreshCounter, now) {
      await sessions.updateOne(
        { _id: id, refreshCounter, successorUsedAt: null },
        { $set: { successorUsedAt: new Date(now) } },
      );
    },
    async end(id, reason, now, tx) {
      const { modifiedCount } = await sessions.updateOne(
        { _id: id, endedAt: null },
        { $set: { endedAt: new Date(now), endedReason: reason, purgeAt: new Date(now + keepEndedMs) } },
        tx ? { session: tx } : {},
      );
      return modifiedCount === 1;
    },
    async endOwn({ id, userId }, reason, now) {
      const { modifiedCount } = await sessions.updateOne(
        { _id: id, userId, endedAt: null },
        { $set: { endedAt: new Date(now), endedReason: reason, purgeAt: new Date(now + keepEndedMs) } },
      );
      return modifiedCount === 1;
    },
    async anonymizeAll(userId, now, tx) {
      const at = new Date(now);
      const { matchedCount } = await sessions.updateMany(
        { userId },
        {
          $set: {
            ...anonymous,
            createdAt: at,
            authenticatedAt: at,
            lastUsedOn: utcDayOf(now),
            rotatedAt: at,
            idleExpiresAt: at,
            expiresAt: at,
            endedAt: at,
            purgeAt: new Date(now + keepEndedMs),
          },
        },
        tx ? { session: tx } : {},
      );
      return matchedCount;
    },
    async removeLongEnded(now) {
      await sessions.deleteMany({ purgeAt: { $lte: new Date(now) } }, backgroundLimit);
    },
  };
};

const usedUntil = ({ lastUsedOn, idleExpiresAt }: { lastUsedOn: string; idleExpiresAt: number }) => ({
  lastUsedOn,
  idleExpiresAt: new Date(idleExpiresAt),
  purgeAt: new Date(idleExpiresAt + keepEndedMs),
});

/** Replaces everything that identifies the account. */
const anonymous = {
  userId: '',
  number: 0,
  device: { id: null, name: null, model: null },
  refreshCounter: 0,
  successorUsedAt: null,
  endedReason: 'account-gone',
} as const;

const toDoc = ({ id, ...session }: StoredSession): SessionDoc => ({
  ...session,
  _id: id,
  createdAt: new Date(session.createdAt),
  authenticatedAt: new Date(session.authenticatedAt),
  rotatedAt: new Date(session.rotatedAt),
  successorUsedAt: dateOf(session.successorUsedAt),
  idleExpiresAt: new Date(session.idleExpiresAt),
  expiresAt: new Date(session.expiresAt),
  endedAt: dateOf(session.endedAt),
  purgeAt: new Date(session.idleExpiresAt + keepEndedMs),
});

const fromDoc = ({ _id, purgeAt: _purgeAt, ...doc }: SessionDoc): StoredSession => ({
  ...doc,
  id: _id,
  createdAt: doc.createdAt.getTime(),
  authenticatedAt: doc.authenticatedAt.getTime(),
  rotatedAt: doc.rotatedAt.getTime(),
  successorUsedAt: doc.successorUsedAt?.getTime() ?? null,
  idleExpiresAt: doc.idleExpiresAt.getTime(),
  expiresAt: doc.expiresAt.getTime(),
  endedAt: doc.endedAt?.getTime() ?? null,
});

const dateOf = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));
