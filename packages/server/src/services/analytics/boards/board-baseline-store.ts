import { Schema, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';
import { wholeListBatchSize } from '../../../platform/mongo/batch.ts';

/** The baseline of a person's `reduction`. Not derived: the days that it was measured on may have changed since. */
interface BoardBaselineDoc {
  /** The user's id. */
  _id: string;
  /** Units a day. */
  baseline: number;
  frozenAt: Date;
}

const boardBaselineSchema = new Schema<BoardBaselineDoc>({
  _id: { type: String, required: true },
  baseline: { type: Number, required: true, immutable: true },
  frozenAt: { type: Date, required: true, immutable: true },
});

/** Frozen baselines in units a day. Rows are added and never changed. */
export interface BoardBaselineStore {
  ensureIndexes(): Promise<void>;
  /** In one query. People without a baseline are absent. */
  findMany(userIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** An existing baseline stays unchanged. `at` in ms. */
  add(baselines: ReadonlyMap<string, number>, at: number): Promise<void>;
  /** Deletes all rows of this person and returns their number. */
  removeAll(userId: string): Promise<number>;
}

export const createBoardBaselineStore = (connection: Connection): BoardBaselineStore => {
  const { collection: rows, ensureIndexes } = collectionOf(connection, 'boardbaselines', boardBaselineSchema);
  return {
    ensureIndexes,
    async findMany(userIds) {
      const docs = await rows
        .find({ _id: { $in: [...userIds] } }, { batchSize: wholeListBatchSize })
        .toArray();
      return new Map(docs.map(({ _id, baseline }) => [_id, baseline]));
    },
    async add(baselines, at) {
      if (baselines.size === 0) return;
      await rows.bulkWrite(
        [...baselines].map(([_id, baseline]) => ({
          updateOne: {
            filter: { _id },
            update: { $setOnInsert: { baseline, frozenAt: new Date(at) } },
            upsert: true,
          },
        })),
        { ordered: false },
      );
    },
    async removeAll(userId) {
      return (await rows.deleteOne({ _id: userId })).deletedCount;
    },
  };
};
