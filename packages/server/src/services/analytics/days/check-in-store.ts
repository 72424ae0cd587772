import { Schema, type ClientSession, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';
import { groupBy } from '../../../platform/group-by.ts';
import { wholeListBatchSize } from '../../../platform/mongo/batch.ts';
import type { DayNumber } from '../../../domain/local-day.ts';
import { rowsFrom } from './rows-from.ts';
import type { CheckIn } from './check-in.ts';

/** The user's confirmation that a day had no puff; `at` is the first time it was given. */
interface CheckInDoc {
  userId: string;
  /** Days since 1970-01-01. */
  day: number;
  at: Date;
}

const checkInSchema = new Schema<CheckInDoc>({
  userId: { type: String, required: true },
  day: { type: Number, required: true },
  at: { type: Date, required: true },
});
checkInSchema.index({ userId: 1, day: 1 }, { unique: true });

export interface CheckInStore {
  ensureIndexes(): Promise<void>;
  /** The check-ins of each person from a day on, or all, in one query. People without check-ins are absent. */
  listMany(from: ReadonlyMap<string, DayNumber | undefined>): Promise<ReadonlyMap<string, CheckIn[]>>;
  /** An existing check-in keeps its `at` (ms). */
  add(userId: string, days: readonly DayNumber[], at: number, tx: ClientSession): Promise<void>;
  remove(userId: string, days: readonly DayNumber[], tx: ClientSession): Promise<void>;
  /** Deletes all rows of this person and returns their number. */
  removeAll(userId: string): Promise<number>;
}

export const createCheckInStore = (connection: Connection): CheckInStore => {
  const { collection: checkIns, ensureIndexes } = collectionOf(connection, 'checkins', checkInSchema);
  return {
    ensureIndexes,
    async listMany(from) {
      const docs = await checkIns
        .find(rowsFrom('day', from), { sort: { userId: 1, day: 1 }, batchSize: wholeListBatchSize })
        .toArray();
      return groupBy(
        docs,
        ({ userId }) => userId,
        ({ day, at }) => ({ day, at: at.getTime() }),
      );
    },
    async add(userId, days, at, tx) {
      if (days.length === 0) return;
      await checkIns.bulkWrite(
        days.map((day) => ({
          updateOne: {
            filter: { userId, day },
            update: { $setOnInsert: { at: new Date(at) } },
            upsert: true,
          },
        })),
        { session: tx },
      );
    },
    async remove(userId, days, tx) {
      await checkIns.deleteMany({ userId, day: { $in: [...days] } }, { session: tx });
    },
    async removeAll(userId) {
      const { deletedCount } = await checkIns.deleteMany({ userId });
      return deletedCount;
    },
  };
};
