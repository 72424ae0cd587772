import type { ClientSession } from 'mongodb';
import { Schema, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';
import { backgroundLimit } from '../../../platform/mongo/time-limits.ts';
import type { LedgerEntry } from './erasure-rules.ts';

/** That an account was erased, and when; not whose. */
interface ErasureLedgerDoc {
  /** HMAC of the user id. */
  _id: string;
  appleSub: string | null;
  at: Date;
}

const erasureLedgerSchema = new Schema<ErasureLedgerDoc>({
  _id: { type: String, required: true },
  appleSub: String,
  at: { type: Date, required: true },
});
erasureLedgerSchema.index({ at: 1 });

export interface ErasureLedgerStore {
  ensureIndexes(): Promise<void>;
  add(entry: LedgerEntry, at: number, tx: ClientSession): Promise<void>;
  /** Returns the number of deleted entries. */
  removeBefore(at: number): Promise<number>;
}

export const createErasureLedgerStore = (connection: Connection): ErasureLedgerStore => {
  const { collection: entries, ensureIndexes } = collectionOf(
    connection,
    'erasureledger',
    erasureLedgerSchema,
  );
  return {
    ensureIndexes,
    async add({ user, appleSub }, at, tx) {
      await entries.insertOne({ _id: user, appleSub, at: new Date(at) }, { session: tx });
    },
    async removeBefore(at) {
      return (await entries.deleteMany({ at: { $lt: new Date(at) } }, backgroundLimit)).deletedCount;
    },
  };
};
