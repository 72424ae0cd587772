import { Schema, type Connection } from 'mongoose';
import type { SettledRuns } from './settled-runs.ts';
import type { Run } from './streaks.ts';

/** The settled runs of one person; a cache that may be dropped at any time. Days are numbers since 1970-01-01. */
interface SettledDoc extends SettledRuns {
  _id: string;
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

const settledSchema = new Schema<SettledDoc>(
  {
    _id: { type: String, required: true },
    through: { type: Number, required: true },
    rev: { type: Number, required: true },
    key: { type: String, required: true },
    runs: {
      puffFree: { type: runSchema, required: true },
      puffFreeHasBegun: { type: Boolean, required: true },
      underLimit: { type: runSchema, required: true },
    },
  },
  { collection: 'settledruns', versionKey: false },
);

export interface SettledStore {
  ensureIndexes(): Promise<void>;
  find(userId: string): Promise<SettledRuns | undefined>;
  save(userId: string, settled: SettledRuns): Promise<void>;
  /** Everything of this person; answers how many rows there were. */
  removeAll(userId: string): Promise<number>;
}

export const createSettledStore = (connection: Connection): SettledStore => {
  const model = connection.model('SettledRuns', settledSchema);
  return {
    async ensureIndexes() {
      await model.createCollection();
    },
    async find(userId) {
      const doc = await model.findById(userId).lean<SettledDoc>();
      return doc ? { through: doc.through, rev: doc.rev, key: doc.key, runs: doc.runs } : undefined;
    },
    async save(userId, settled) {
      await model.updateOne({ _id: userId }, { $set: settled }, { upsert: true });
    },
    async removeAll(userId) {
      const { deletedCount } = await model.deleteMany({ _id: userId });
      return deletedCount;
    },
  };
};
