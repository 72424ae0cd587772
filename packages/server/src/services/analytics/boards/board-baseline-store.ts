import { Schema, trusted, type Connection } from 'mongoose';
import { wholeBatch } from '../../../platform/mongo/batch.ts';

/** What a person's reduction is measured against. No cache: it was taken from days that may have changed since. */
interface BoardBaselineDoc {
  /** The person. */
  _id: string;
  /** Units a day. */
  baseline: number;
  frozenAt: Date;
}

const boardBaselineSchema = new Schema<BoardBaselineDoc>(
  {
    _id: { type: String, required: true },
    baseline: { type: Number, required: true, immutable: true },
    frozenAt: { type: Date, required: true, immutable: true },
  },
  { collection: 'boardbaselines', versionKey: false },
);

/** Frozen baselines in units a day; rows are added and never changed. */
export interface BoardBaselineStore {
  ensureIndexes(): Promise<void>;
  /** In one query; people without one are left out. */
  findMany(userIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** One that is there already stays as it is; `at` in ms. */
  add(baselines: ReadonlyMap<string, number>, at: number): Promise<void>;
  /** Everything of this person; answers how many rows there were. */
  removeAll(userId: string): Promise<number>;
}

export const createBoardBaselineStore = (connection: Connection): BoardBaselineStore => {
  const model = connection.model('BoardBaseline', boardBaselineSchema);
  return {
    async ensureIndexes() {
      await model.createCollection();
    },
    async findMany(userIds) {
      const docs = await model
        .find({ _id: trusted({ $in: [...userIds] }) })
        .batchSize(wholeBatch)
        .lean<BoardBaselineDoc[]>();
      return new Map(docs.map(({ _id, baseline }) => [_id, baseline]));
    },
    async add(baselines, at) {
      await model.bulkWrite(
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
      return (await model.deleteOne({ _id: userId })).deletedCount;
    },
  };
};
