import type { Collection } from 'mongodb';
import { Schema, type Connection } from 'mongoose';
import { isDuplicateKey } from '../../platform/mongo/errors.ts';

/** `next` verifies already and signs later, `active` signs, `retired` only verifies what it has signed (SES-7). */
export type KeyState = 'next' | 'active' | 'retired';

/** A signing key as it lies there; both halves are sealed, so that nobody who writes here can add one of theirs. */
export interface StoredSigningKey {
  readonly kid: string;
  readonly state: KeyState;
  readonly createdAt: number;
  readonly sealedKey: string;
}

interface SigningKeyDoc {
  _id: string;
  state: KeyState;
  createdAt: Date;
  sealedKey: string;
}

const signingKeySchema = new Schema<SigningKeyDoc>(
  {
    _id: { type: String, required: true },
    state: { type: String, enum: ['next', 'active', 'retired'], required: true },
    createdAt: { type: Date, required: true },
    sealedKey: { type: String, required: true },
  },
  { collection: 'signingkeys', versionKey: false },
);
// At most one active key: of two processes that start on an empty database one writes it, the other reads it.
signingKeySchema.index({ state: 1 }, { unique: true, partialFilterExpression: { state: 'active' } });

export interface SigningKeyStore {
  ensureIndexes(): Promise<void>;
  list(): Promise<StoredSigningKey[]>;
  /** False where there is an active key already. */
  insertActive(key: Omit<StoredSigningKey, 'state'>): Promise<boolean>;
}

export const createSigningKeyStore = (connection: Connection): SigningKeyStore => {
  const model = connection.model('SigningKey', signingKeySchema);
  const keys = model.collection as unknown as Collection<SigningKeyDoc>;
  return {
    async ensureIndexes() {
      await model.createCollection();
      await model.createIndexes();
    },
    async list() {
      const docs = await keys.find().toArray();
      return docs.map(({ _id, createdAt, ...doc }) => ({
        ...doc,
        kid: _id,
        createdAt: createdAt.getTime(),
      }));
    },
    async insertActive({ kid, createdAt, sealedKey }) {
      try {
        await keys.insertOne({ _id: kid, state: 'active', createdAt: new Date(createdAt), sealedKey });
        return true;
      } catch (error) {
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    },
  };
};
