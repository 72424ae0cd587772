import type { UserStats } from '@pufftrack/contract';
import { Schema, trusted, type Connection } from 'mongoose';
import { wholeBatch } from '../../../platform/mongo/batch.ts';
import type { BoardScores } from '../boards/board.ts';

/** The numbers of one person, and what they were made from: with any of it changed the row says nothing. */
export interface UserStatsRow {
  readonly settingsVersion: number;
  /** Says itself of which revision and which local day it is. */
  readonly stats: UserStats;
  readonly standings: BoardScores;
}

interface UserStatsDoc extends UserStatsRow {
  _id: string;
}

const userStatsSchema = new Schema<UserStatsDoc>(
  {
    _id: { type: String, required: true },
    settingsVersion: { type: Number, required: true },
    stats: { type: Schema.Types.Mixed, required: true },
    standings: { type: Schema.Types.Mixed, required: true },
  },
  { collection: 'userstats', versionKey: false },
);

/** `UserStats` as a read model: a cache that may be dropped at any time. */
export interface UserStatsStore {
  ensureIndexes(): Promise<void>;
  /** In one query; people without a row are left out. */
  findMany(people: readonly string[]): Promise<ReadonlyMap<string, UserStatsRow>>;
  save(rows: readonly UserStatsRow[]): Promise<void>;
  /** Everything of this person; answers how many rows there were. */
  removeAll(userId: string): Promise<number>;
}

export const createUserStatsStore = (connection: Connection): UserStatsStore => {
  const model = connection.model('UserStats', userStatsSchema);
  return {
    async ensureIndexes() {
      await model.createCollection();
    },
    async findMany(people) {
      // A row without standings was stored by another release.
      const docs = await model
        .find({ _id: trusted({ $in: [...people] }), standings: trusted({ $exists: true }) })
        .batchSize(wholeBatch)
        .lean<UserStatsDoc[]>();
      return new Map(docs.map((doc) => [doc._id, doc]));
    },
    async save(rows) {
      if (rows.length === 0) return;
      await model.bulkWrite(
        rows.map((row) => ({
          updateOne: { filter: { _id: row.stats.userId }, update: { $set: row }, upsert: true },
        })),
        { ordered: false },
      );
    },
    async removeAll(userId) {
      const { deletedCount } = await model.deleteMany({ _id: userId });
      return deletedCount;
    },
  };
};
