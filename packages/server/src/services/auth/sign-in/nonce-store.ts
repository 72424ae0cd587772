import type { ClientSession } from 'mongodb';
import { Schema, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';
import { backgroundLimit } from '../../../platform/mongo/time-limits.ts';

/** `_id` is the SHA-256 of the nonce in hex; the nonce itself is not stored. */
interface NonceDoc {
  _id: string;
  expiresAt: Date;
}

const nonceSchema = new Schema<NonceDoc>({
  _id: { type: String, required: true },
  expiresAt: { type: Date, required: true },
});
nonceSchema.index({ expiresAt: 1 });

export interface NonceStore {
  ensureIndexes(): Promise<void>;
  save(hash: string, expiresAt: number): Promise<void>;
  /** Whether `consume` would succeed now. */
  isUnused(hash: string, now: number): Promise<boolean>;
  /** True for exactly one caller; a concurrent one gets a transaction conflict. */
  consume(hash: string, now: number, tx: ClientSession): Promise<boolean>;
  removeExpired(now: number): Promise<void>;
}

export const createNonceStore = (connection: Connection): NonceStore => {
  const { collection: nonces, ensureIndexes } = collectionOf(connection, 'nonces', nonceSchema);
  return {
    ensureIndexes,
    async save(hash, expiresAt) {
      await nonces.insertOne({ _id: hash, expiresAt: new Date(expiresAt) });
    },
    async isUnused(hash, now) {
      return (await nonces.countDocuments({ _id: hash, expiresAt: { $gt: new Date(now) } })) === 1;
    },
    async consume(hash, now, session) {
      const { deletedCount } = await nonces.deleteOne(
        { _id: hash, expiresAt: { $gt: new Date(now) } },
        { session },
      );
      return deletedCount === 1;
    },
    async removeExpired(now) {
      await nonces.deleteMany({ expiresAt: { $lte: new Date(now) } }, backgroundLimit);
    },
  };
};
