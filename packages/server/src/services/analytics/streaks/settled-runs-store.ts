import { Schema, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';
import { wholeListBatchSize } from '../../../platform/mongo/batch.ts';
import type { SettledGaps, Stretch } from './gaps.ts';
import type { SettledRuns } from './settled-runs.ts';
import type { Run } from './streaks.ts';

/** The settled runs of one person: derived, may be dropped at any time. Days are numbers since 1970-01-01. */
interface SettledDoc extends Omit<SettledRuns, 'gaps'> {
  _id: string;
  /** With the `rev` of the row: a release without gaps leaves old gaps in the row, or writes none. */
  gaps?: SettledGaps & { rev: number };
}

const runSchema = new Schema<Run>(
  {
    current: { type: Number, required: true },
    best: { type: Number, required: true },
    startedOn: { type: Number, default: null },
    unconfirmedDays: { type: Number, required: true },
    endedReason: { type: String, default: null },
  },
  { _id: false },
);

const stretchSchema = new Schema<Stretch>(
  {
    first: { type: Number, required: true },
    last: { type: Number, required: true },
    longestMs: { type: Number, required: true },
    open: [{ _id: false, from: Number, to: Number, atMostMs: Number }],
  },
  { _id: false },
);

const settledSchema = new Schema<SettledDoc>({
  _id: { type: String, required: true },
  through: { type: Number, required: true },
  rev: { type: Number, required: true },
  key: { type: String, required: true },
  runs: {
    puffFree: { type: runSchema, required: true },
    puffFreeHasBegun: { type: Boolean, required: true },
    underLimit: { type: runSchema, required: true },
  },
  gaps: { rev: Number, through: Number, stretch: { type: stretchSchema, default: null } },
});

export interface SettledRunsStore {
  ensureIndexes(): Promise<void>;
  /** In one query. People without a valid row are absent. */
  findMany(userIds: readonly string[]): Promise<ReadonlyMap<string, SettledRuns>>;
  save(userId: string, settled: SettledRuns): Promise<void>;
  /** Deletes all rows of this person and returns their number. */
  removeAll(userId: string): Promise<number>;
}

export const createSettledRunsStore = (connection: Connection): SettledRunsStore => {
  const { collection: rows, ensureIndexes } = collectionOf(connection, 'settledruns', settledSchema);
  return {
    ensureIndexes,
    async findMany(userIds) {
      const docs = await rows
        .find({ _id: { $in: [...userIds] } }, { batchSize: wholeListBatchSize })
        .toArray();
      return new Map(
        docs.flatMap(({ _id, through, rev, key, runs, gaps }) =>
          gaps?.rev === rev
            ? [[_id, { through, rev, key, runs, gaps: { through: gaps.through, stretch: gaps.stretch } }]]
            : [],
        ),
      );
    },
    async save(userId, settled) {
      const gaps = { ...settled.gaps, rev: settled.rev };
      await rows.updateOne({ _id: userId }, { $set: { ...settled, gaps } }, { upsert: true });
    },
    async removeAll(userId) {
      const { deletedCount } = await rows.deleteMany({ _id: userId });
      return deletedCount;
    },
  };
};
