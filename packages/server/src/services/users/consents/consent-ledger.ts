import type { Purpose } from '@pufftrack/contract';
import { Schema, type ClientSession, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';
import type { ConsentState } from './consent.ts';

/**
 * Rows of one user. The ledger is a legal record, so no row is removed: a full ledger rejects grants. Withdrawals are always
 * accepted; at most one more per purpose can follow.
 */
export const maxConsentRecords = 1_000;

/** One consent event of a user; rows are added and never changed (PRIV-1). */
interface ConsentRecordDoc {
  userId: string;
  purpose: Purpose;
  version: string;
  action: 'grant' | 'withdraw';
  at: Date;
}

const consentRecordSchema = new Schema<ConsentRecordDoc>({
  userId: { type: String, required: true, immutable: true },
  purpose: { type: String, required: true, immutable: true },
  version: { type: String, required: true, immutable: true },
  action: { type: String, enum: ['grant', 'withdraw'], required: true, immutable: true },
  at: { type: Date, required: true, immutable: true },
});
consentRecordSchema.index({ userId: 1, at: 1 });

/** Every consent event of every user; the state in force is part of the user document. */
export interface ConsentLedger {
  ensureIndexes(): Promise<void>;
  add(userId: string, events: readonly ConsentState[], tx: ClientSession): Promise<void>;
  count(userId: string, tx: ClientSession): Promise<number>;
  /** Deletes every row of this user; returns their number. */
  removeAll(userId: string): Promise<number>;
}

export const createConsentLedger = (connection: Connection): ConsentLedger => {
  const { collection: records, ensureIndexes } = collectionOf(
    connection,
    'consentrecords',
    consentRecordSchema,
  );
  return {
    ensureIndexes,
    async add(userId, events, tx) {
      if (events.length === 0) return;
      await records.insertMany(
        events.map(({ purpose, version, granted, at }) => ({
          userId,
          purpose,
          version,
          action: granted ? 'grant' : 'withdraw',
          at: new Date(at),
        })),
        { session: tx },
      );
    },
    count: (userId, tx) => records.countDocuments({ userId }, { session: tx }),
    async removeAll(userId) {
      return (await records.deleteMany({ userId })).deletedCount;
    },
  };
};
