import type { ClientSession, Collection } from 'mongodb';
import { Schema, type Connection } from 'mongoose';
import { backgroundLimit } from '../../../platform/mongo/time-limits.ts';

/** `_id` is the SHA-256 of the nonce in hex; the nonce itself is known to the app alone. */
interface NonceDoc {
  _id: string;
  expiresAt: Date;
}

const nonceSchema = new Schema<NonceDoc>(
  { _id: { type: String, required: true }, expiresAt: { type: Date, required: true } },
  { collection: 'nonces', versionKey: false },
);
nonceSchema.index({ expiresAt: 1 });

export interface NonceStore {
  ensureIndexes(): Promise<void>;
  save(hash: string, expiresAt: number): Promise<void>;
  /** Whether it could be spent now; asked before something that cannot be taken back. */
  isOpen(hash: string, now: number): Promise<boolean>;
  /** True for the one caller who spends it; the transaction decides between two at once. */
  spend(hash: string, now: number, tx: ClientSession): Promise<boolean>;
  removeExpired(now: number): Promise<void>;
}

export const createNonceStore = (connection: Connection): NonceStore => {
  const model = connection.model('Nonce', nonceSchema);
  const nonces = model.collection as unknown as Collection<NonceDoc>;
  return {
    async ensureIndexes() {
      await model.createCollection();
      await model.createIndexes();
    },
    async save(hash, expiresAt) {
      await nonces.insertOne({ _id: hash, expiresAt: new Date(expiresAt) });
    },
    async isOpen(hash, now) {
      return (await nonces.countDocuments({ _id: hash, expiresAt: { $gt: new Date(now) } })) === 1;
    },
    async spend(hash, now, session) {
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
