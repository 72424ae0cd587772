import type { ClientSession } from 'mongodb';
import { Schema, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';

/** The account of an Apple identity. `sub` is Apple's subject id, unique within a developer team. */
interface AppleLinkDoc {
  provider: 'apple';
  sub: string;
  userId: string;
  createdAt: Date;
  /** Apple's refresh token, stored only to be revoked; null if there is none. */
  refreshToken?: StoredRefreshToken | null;
  /** The next sign-in redeems its authorization code for one. */
  refreshTokenMissing?: boolean;
}

/** Sealed for this account and app; `keyId` identifies the master key (SIWA-8). */
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

const appleLinkSchema = new Schema<AppleLinkDoc>({
  provider: { type: String, required: true },
  sub: { type: String, required: true },
  userId: { type: String, required: true },
  createdAt: { type: Date, required: true },
  refreshToken: Schema.Types.Mixed,
  refreshTokenMissing: Boolean,
});
appleLinkSchema.index({ provider: 1, sub: 1 }, { unique: true });
appleLinkSchema.index({ userId: 1 });

export interface AppleLinkStore {
  ensureIndexes(): Promise<void>;
  findUserId(sub: string, tx?: ClientSession): Promise<string | undefined>;
  /** An already linked `sub` is a duplicate key error, which aborts the transaction (SIWA-14). */
  link(sub: string, userId: string, now: number, tx: ClientSession): Promise<void>;
  /** Replaces the token of the link. */
  saveRefreshToken(sub: string, token: StoredRefreshToken, tx: ClientSession): Promise<void>;
  /** Marks a link without a token. */
  markRefreshTokenMissing(sub: string, tx: ClientSession): Promise<void>;
  findByUserId(userId: string, tx?: ClientSession): Promise<AppleLink | undefined>;
  clearRefreshToken(userId: string): Promise<void>;
  /** From then on the identity opens a new account. Returns the number of removed links. */
  remove(userId: string, tx?: ClientSession): Promise<number>;
}

export const createAppleLinkStore = (connection: Connection): AppleLinkStore => {
  const { collection: links, ensureIndexes } = collectionOf(connection, 'applelinks', appleLinkSchema);
  return {
    ensureIndexes,
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
    async saveRefreshToken(sub, refreshToken, session) {
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
    async clearRefreshToken(userId) {
      await links.updateOne({ userId }, { $set: { refreshToken: null, refreshTokenMissing: true } });
    },
    async remove(userId, session) {
      const { deletedCount } = await links.deleteMany({ userId }, session ? { session } : {});
      return deletedCount;
    },
  };
};
