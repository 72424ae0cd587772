import { Schema, trusted, type ClientSession, type Connection } from 'mongoose';
import { backgroundLimit } from '../../../platform/mongo/time-limits.ts';
import type { LedgerEntry } from './erasure.ts';

/** That somebody was erased, and when; it does not say who. */
interface ErasureLedgerDoc {
  /** HMAC of the user id. */
  _id: string;
  appleSub: string | null;
  at: Date;
}

const erasureLedgerSchema = new Schema<ErasureLedgerDoc>(
  {
    _id: { type: String, required: true },
    appleSub: { type: String, default: null },
    at: { type: Date, required: true },
  },
  { collection: 'erasureledger', versionKey: false },
);
erasureLedgerSchema.index({ at: 1 });

export interface ErasureLedgerStore {
  ensureIndexes(): Promise<void>;
  add(entry: LedgerEntry, at: number, tx: ClientSession): Promise<void>;
  /** Answers how many entries went. */
  removeBefore(at: number): Promise<number>;
}

export const createErasureLedgerStore = (connection: Connection): ErasureLedgerStore => {
  const model = connection.model('ErasureLedger', erasureLedgerSchema);
  return {
    async ensureIndexes() {
      await model.createCollection();
      await model.createIndexes();
    },
    async add({ user, appleSub }, at, tx) {
      await model.insertMany([{ _id: user, appleSub, at: new Date(at) }], { session: tx });
    },
    async removeBefore(at) {
      const { deletedCount } = await model.deleteMany(
        { at: trusted({ $lt: new Date(at) }) },
        backgroundLimit,
      );
      return deletedCount;
    },
  };
};
