import type { ClientSession, Collection } from 'mongodb';
import { Schema, type Connection } from 'mongoose';

/** Which account an identity of Apple opens. `sub` is Apple's name for the person within one team of developers. */
interface AppleLinkDoc {
  provider: 'apple';
  sub: string;
  userId: string;
  createdAt: Date;
  /** Apple's refresh token, which only its revocation needs; null where none is held. */
  refreshToken?: StoredRefreshToken | null;
  /** The next sign-in's authorization code is to bring one. */
  refreshTokenMissing?: boolean;
}

/** Sealed for this person and this app; `keyId` names the master key that opens it (SIWA-8). */
export interface StoredRefreshToken {
  readonly clientId: string;
  readonly sealed: string;
  readonly keyId: string;
}

export interface AppleLink {
  readonly sub: string;
  readonly userId: string;
  readonly refreshToken: StoredRefreshToken | null;
}

const appleLinkSchema = new Schema<AppleLinkDoc>(
  {
    provider: { type: String, required: true },
    sub: { type: String, required: true },
    userId: { type: String, required: true },
    createdAt: { type: Date, required: true },
    refreshToken: Schema.Types.Mixed,
    refreshTokenMissing: Boolean,
  },
  { collection: 'applelinks', versionKey: false },
);
appleLinkSchema.index({ provider: 1, sub: 1 }, { unique: true });
appleLinkSchema.index({ userId: 1 });

export interface AppleLinkStore {
  ensureIndexes(): Promise<void>;
  findUserId(sub: string, tx?: ClientSession): Promise<string | undefined>;
  /** A `sub` that is linked already is a duplicate key, and ends the transaction (SIWA-14). */
  link(sub: string, userId: string, now: number, tx: ClientSession): Promise<void>;
  /** Replaces the token of the link. */
  keepRefreshToken(sub: string, token: StoredRefreshToken, tx: ClientSession): Promise<void>;
  /** Remembers that a token is wanted where none is held. */
  markRefreshTokenMissing(sub: string, tx: ClientSession): Promise<void>;
  findByUserId(userId: string, tx?: ClientSession): Promise<AppleLink | undefined>;
  dropRefreshToken(userId: string): Promise<void>;
  /** From then on the identity opens a new account. Answers how many links there were. */
  remove(userId: string, tx?: ClientSession): Promise<number>;
}

export const createAppleLinkStore = (connection: Connection): AppleLinkStore => {
  const model = connection.model('AppleLink', appleLinkSchema);
  const links = model.collection as unknown as Collection<AppleLinkDoc>;
  return {
    async ensureIndexes() {
      await model.createCollection();
      await model.createIndexes();
    },
    async findUserId(sub, session) {
      const doc = await links.findOne(
        { provider: 'apple', sub },
        { ...(session && { session }), projection: { userId: 1 } },
      );
      return doc?.userId;
    },
    async link(sub, userId, now, session) {
      await links.insertOne({ provider: 'apple', sub, userId, createdAt: new Date(now) }, { session });
    },
    async keepRefreshToken(sub, refreshToken, session) {
      await links.updateOne(
        { provider: 'apple', sub },
        { $set: { refreshToken, refreshTokenMissing: false } },
        { session },
      );
    },
    async markRefreshTokenMissing(sub, session) {
      await links.updateOne(
        { provider: 'apple', sub, refreshToken: null },
        { $set: { refreshTokenMissing: true } },
        { session },
      );
    },
    async findByUserId(userId, session) {
      const doc = await links.findOne({ userId }, session ? { session } : {});
      return doc ? { sub: doc.sub, userId, refreshToken: doc.refreshToken ?? null } : undefined;
    },
    async dropRefreshToken(userId) {
      await links.updateOne({ userId }, { $set: { refreshToken: null, refreshTokenMissing: true } });
    },
    async remove(userId, session) {
      const { deletedCount } = await links.deleteMany({ userId }, session ? { session } : {});
      return deletedCount;
    },
  };
};
