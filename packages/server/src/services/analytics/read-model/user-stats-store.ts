import type { UserStats } from '@pufftrack/contract';
import { Schema, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';
import { wholeListBatchSize } from '../../../platform/mongo/batch.ts';
import type { BoardScores } from '../boards/board.ts';

/** The numbers of one person, and the versions of their inputs. */
export interface UserStatsRow {
  readonly settingsVersion: number;
  /** Contains its revision and local day. */
  readonly stats: UserStats;
  readonly boardScores: BoardScores;
}

interface UserStatsDoc {
  _id: string;
  settingsVersion: number;
  stats: UserStats;
  standings: BoardScores;
}

const userStatsSchema = new Schema<UserStatsDoc>({
  _id: { type: String, required: true },
  settingsVersion: { type: Number, required: true },
  stats: { type: Schema.Types.Mixed, required: true },
  standings: { type: Schema.Types.Mixed, required: true },
});

/** `UserStats` as a read model: derived, may be dropped at any time. */
export interface UserStatsStore {
  ensureIndexes(): Promise<void>;
  /** In one query. People without a row are absent. */
  findMany(people: readonly string[]): Promise<ReadonlyMap<string, UserStatsRow>>;
  save(rows: readonly UserStatsRow[]): Promise<void>;
  /** Deletes all rows of this person and returns their number. */
  removeAll(userId: string): Promise<number>;
}

export const createUserStatsStore = (connection: Connection): UserStatsStore => {
  const { collection: userStats, ensureIndexes } = collectionOf(connection, 'userstats', userStatsSchema);
  return {
    ensureIndexes,
    async findMany(people) {
      // A row without board scores was stored by an older release.
      const docs = await userStats
        .find({ _id: { $in: [...people] }, standings: { $exists: true } }, { batchSize: wholeListBatchSize })
        .toArray();
      return new Map(
        docs.map(({ _id, settingsVersion, stats, standings }) => [
          _id,
          { settingsVersion, stats, boardScores: standings },
        ]),
      );
    },
    async save(rows) {
      if (rows.length === 0) return;
      await userStats.bulkWrite(
        rows.map(({ settingsVersion, stats, boardScores: standings }) => ({
          updateOne: {
            filter: { _id: stats.userId },
            update: { $set: { settingsVersion, stats, standings } },
            upsert: true,
          },
        })),
        { ordered: false },
      );
    },
    async removeAll(userId) {
      const { deletedCount } = await userStats.deleteMany({ _id: userId });
      return deletedCount;
    },
  };
};
