import type { Purpose } from '@pufftrack/contract';
import { Schema, type ClientSession, type Connection } from 'mongoose';
import type { ConsentState } from '../accounts/user.ts';

/**
 * Rows of one person. The ledger is a legal record, so nothing of it is removed: where it is full, grants are refused.
 * Withdrawals never are; there can be one more for each purpose.
 */
export const maxConsentRecords = 1_000;

/** One word of a person on one purpose; rows are added and never changed (PRIV-1). */
interface ConsentRecordDoc {
  userId: string;
  purpose: Purpose;
  version: string;
  action: 'grant' | 'withdraw';
  at: Date;
}

const consentRecordSchema = new Schema<ConsentRecordDoc>(
  {
    userId: { type: String, required: true, immutable: true },
    purpose: { type: String, required: true, immutable: true },
    version: { type: String, required: true, immutable: true },
    action: { type: String, enum: ['grant', 'withdraw'], required: true, immutable: true },
    at: { type: Date, required: true, immutable: true },
  },
  { collection: 'consentrecords', versionKey: false },
);
consentRecordSchema.index({ userId: 1, at: 1 });

/** Every word that a person has ever said on a consent; what is in force stands on their own row. */
export interface ConsentLedger {
  ensureIndexes(): Promise<void>;
  add(userId: string, words: readonly ConsentState[], tx: ClientSession): Promise<void>;
  count(userId: string, tx: ClientSession): Promise<number>;
  /** Everything of this person; answers how many rows there were. */
  removeAll(userId: string): Promise<number>;
}

export const createConsentLedger = (connection: Connection): ConsentLedger => {
  const records = connection.model('ConsentRecord', consentRecordSchema);
  return {
    async ensureIndexes() {
      await records.createCollection();
      await records.createIndexes();
    },
    async add(userId, words, tx) {
      await records.insertMany(
        words.map(({ purpose, version, granted, at }) => ({
          userId,
          purpose,
          version,
          action: granted ? 'grant' : 'withdraw',
          at: new Date(at),
        })),
        { session: tx },
      );
    },
    count: (userId, tx) => records.countDocuments({ userId }).session(tx),
    async removeAll(userId) {
      return (await records.deleteMany({ userId })).deletedCount;
    },
  };
};
