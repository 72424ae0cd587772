import type { ClientSession } from 'mongodb';
import { Schema, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';
import { isDuplicateKey } from '../../../platform/mongo/errors.ts';

/** `next` verifies, `active` signs and verifies, `retired` only verifies (SES-7). */
export type KeyState = 'next' | 'active' | 'retired';

/** A stored signing key. Both halves are sealed, so that write access to the database cannot add a key. */
export interface StoredSigningKey {
  readonly kid: string;
  readonly state: KeyState;
  readonly createdAt: number;
  /** When it stopped signing; null before that. */
  readonly retiredAt: number | null;
  readonly sealedKey: string;
}

export type NewSigningKey = Pick<StoredSigningKey, 'kid' | 'createdAt' | 'sealedKey'>;

interface SigningKeyDoc {
  _id: string;
  state: KeyState;
  createdAt: Date;
  retiredAt?: Date | null;
  sealedKey: string;
}

const signingKeySchema = new Schema<SigningKeyDoc>({
  _id: { type: String, required: true },
  state: { type: String, enum: ['next', 'active', 'retired'], required: true },
  createdAt: { type: Date, required: true },
  retiredAt: Date,
  sealedKey: { type: String, required: true },
});
// At most one active key: of two processes that start on an empty database, one inserts it and the other reads it.
signingKeySchema.index({ state: 1 }, { unique: true, partialFilterExpression: { state: 'active' } });
// At most one next key: of two concurrent rotations, one inserts its key and the other continues with that.
signingKeySchema.index(
  { state: 1 },
  { name: 'one_next', unique: true, partialFilterExpression: { state: 'next' } },
);

export interface SigningKeyStore {
  ensureIndexes(): Promise<void>;
  list(): Promise<StoredSigningKey[]>;
  /** False if there is an active key. */
  insertActive(key: NewSigningKey): Promise<boolean>;
  /** False if there is a next key. */
  insertNext(key: NewSigningKey): Promise<boolean>;
  /** Makes the next key active and retires the active one; false if `kid` is not the next key. */
  promote(kid: string, now: number, tx: ClientSession): Promise<boolean>;
  /** Removes keys that were retired at `before` or earlier. */
  removeRetired(before: number): Promise<void>;
}

export const createSigningKeyStore = (connection: Connection): SigningKeyStore => {
  const { collection: keys, ensureIndexes } = collectionOf(connection, 'signingkeys', signingKeySchema);
  const insert = async (state: KeyState, { kid, createdAt, sealedKey }: NewSigningKey) => {
    try {
      await keys.insertOne({ _id: kid, state, createdAt: new Date(createdAt), sealedKey });
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  };
  return {
    ensureIndexes,
    async list() {
      const docs = await keys.find().toArray();
      return docs.map(({ _id, createdAt, retiredAt, ...doc }) => ({
        ...doc,
        kid: _id,
        createdAt: createdAt.getTime(),
        retiredAt: retiredAt?.getTime() ?? null,
      }));
    },
    insertActive: (key) => insert('active', key),
    insertNext: (key) => insert('next', key),
    async promote(kid, now, session) {
      // In this order, so that there are never two active keys.
      await keys.updateMany(
        { state: 'active', _id: { $ne: kid } },
        { $set: { state: 'retired', retiredAt: new Date(now) } },
        { session },
      );
      const { modifiedCount } = await keys.updateOne(
        { _id: kid, state: 'next' },
        { $set: { state: 'active' } },
        { session },
      );
      return modifiedCount === 1;
    },
    async removeRetired(before) {
      await keys.deleteMany({ state: 'retired', retiredAt: { $lte: new Date(before) } });
    },
  };
};
