import type { UserStats } from '@pufftrack/contract';
import { Schema, trusted, type Connection } from 'mongoose';

/** What a stored row was computed from; with any of it changed the row says nothing. */
export interface StatsKey {
  readonly revision: number;
  readonly settingsVersion: number;
  /** The local day, `YYYY-MM-DD`. */
  readonly today: string;
}

interface UserStatsDoc {
  _id: string;
  revision: number;
  settingsVersion: number;
  today: string;
  stats: UserStats;
}

const userStatsSchema = new Schema<UserStatsDoc>(
  {
    _id: { type: String, required: true },
    revision: { type: Number, required: true },
    settingsVersion: { type: Number, required: true },
    today: { type: String, required: true },
    stats: { type: Schema.Types.Mixed, required: true },
  },
  { collection: 'userstats', versionKey: false },
);

export interface StoredStats extends StatsKey {
  readonly stats: UserStats;
}

/** `UserStats` as a read model: a cache that may be dropped at any time. */
export interface StatsStore {
  ensureIndexes(): Promise<void>;
  findMany(people: readonly string[]): Promise<ReadonlyMap<string, StoredStats>>;
  save(rows: readonly { key: StatsKey; stats: UserStats }[]): Promise<void>;
  /** Everything of this person; answers how many rows there were. */
  removeAll(userId: string): Promise<number>;
}

export const createStatsStore = (connection: Connection): StatsStore => {
  const model = connection.model('UserStats', userStatsSchema);
  return {
    async ensureIndexes() {
      await model.createCollection();
    },
    async findMany(people) {
      const docs = await model.find({ _id: trusted({ $in: [...people] }) }).lean();
      return new Map(docs.map((doc) => [doc._id, doc]));
    },
    async save(rows) {
      if (rows.length === 0) return;
      await model.bulkWrite(
        rows.map(({ key, stats }) => ({
          updateOne: {
            filter: { _id: stats.userId },
            update: { $set: { ...key, stats } },
            upsert: true,
          },
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
