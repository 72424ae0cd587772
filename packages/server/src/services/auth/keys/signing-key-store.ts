import type { ClientSession, Collection } from 'mongodb';
import { Schema, type Connection } from 'mongoose';
import { isDuplicateKey } from '../../../platform/mongo/errors.ts';

/** `next` verifies already and signs later, `active` signs, `retired` only verifies what it has signed (SES-7). */
export type KeyState = 'next' | 'active' | 'retired';

/** A signing key as it lies there; both halves are sealed, so that nobody who writes here can add one of theirs. */
export interface StoredSigningKey {
  readonly kid: string;
  readonly state: KeyState;
  readonly createdAt: number;
  /** When it signed last; null while it has not been retired. */
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

const signingKeySchema = new Schema<SigningKeyDoc>(
  {
    _id: { type: String, required: true },
    state: { type: String, enum: ['next', 'active', 'retired'], required: true },
    createdAt: { type: Date, required: true },
    retiredAt: Date,
    sealedKey: { type: String, required: true },
  },
  { collection: 'signingkeys', versionKey: false },
);
// At most one active key: of two processes that start on an empty database one writes it, the other reads it.
signingKeySchema.index({ state: 1 }, { unique: true, partialFilterExpression: { state: 'active' } });
// And at most one next: of two rotations at once one publishes its key, the other goes on with that.
signingKeySchema.index(
  { state: 1 },
  { name: 'one_next', unique: true, partialFilterExpression: { state: 'next' } },
);

export interface SigningKeyStore {
  ensureIndexes(): Promise<void>;
  list(): Promise<StoredSigningKey[]>;
  /** False where there is an active key already. */
  insertActive(key: NewSigningKey): Promise<boolean>;
  /** False where there is a next key already. */
  insertNext(key: NewSigningKey): Promise<boolean>;
  /** The next key signs from now on, and the active one is retired; false where `kid` is not the next key. */
  promote(kid: string, now: number, tx: ClientSession): Promise<boolean>;
  /** Removes keys that were retired at `before` or earlier. */
  removeRetired(before: number): Promise<void>;
}

export const createSigningKeyStore = (connection: Connection): SigningKeyStore => {
  // The command that rotates keys opens a store of its own, on the connection of the services.
  const model = connection.models['SigningKey'] ?? connection.model('SigningKey', signingKeySchema);
  const keys = model.collection as unknown as Collection<SigningKeyDoc>;
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
    async ensureIndexes() {
      await model.createCollection();
      await model.createIndexes();
    },
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
      // In this order, so that no moment has two active keys.
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
