import type { ClientSession } from 'mongodb';
import { Schema, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';
import { wholeListBatchSize } from '../../../platform/mongo/batch.ts';
import { defaultPreferences, type StoredPreferences } from './preferences.ts';

interface PreferencesDoc extends Pick<StoredPreferences, 'categories' | 'quietHours' | 'discreet'> {
  _id: string;
  muteAll?: boolean;
  muteAllSince?: Date;
}

const preferencesSchema = new Schema<PreferencesDoc>({
  _id: { type: String, required: true },
  categories: Schema.Types.Mixed,
  quietHours: Schema.Types.Mixed,
  discreet: { type: Boolean, required: true },
  muteAll: Boolean,
  muteAllSince: Date,
});

export interface PreferencesStore {
  ensureIndexes(): Promise<void>;
  /** The defaults for a user without stored preferences. */
  find(userId: string, tx?: ClientSession): Promise<StoredPreferences>;
  /** Whether each of these users mutes all friends, and since when (ms); absent: never changed. */
  findMuteAll(
    userIds: readonly string[],
  ): Promise<ReadonlyMap<string, { readonly muteAll: boolean; readonly since: number }>>;
  save(userId: string, preferences: StoredPreferences, tx: ClientSession): Promise<void>;
  /** Removes everything of this user; answers the number of rows. */
  removeAll(userId: string): Promise<number>;
}

export const createPreferencesStore = (connection: Connection): PreferencesStore => {
  const { collection: rows, ensureIndexes } = collectionOf(
    connection,
    'notificationpreferences',
    preferencesSchema,
  );
  return {
    ensureIndexes,
    async find(userId, tx) {
      const doc = await rows.findOne({ _id: userId }, tx ? { session: tx } : {});
      if (!doc) return defaultPreferences;
      const { categories, quietHours, discreet, muteAll = false, muteAllSince } = doc;
      return { categories, quietHours, discreet, muteAll, muteAllSince: muteAllSince?.getTime() ?? 0 };
    },
    async findMuteAll(userIds) {
      const docs = await rows
        .find(
          { _id: { $in: [...userIds] }, muteAllSince: { $exists: true } },
          { projection: { muteAll: 1, muteAllSince: 1 }, batchSize: wholeListBatchSize },
        )
        .toArray();
      return new Map(
        docs.map(({ _id, muteAll = false, muteAllSince }) => [
          _id,
          { muteAll, since: muteAllSince?.getTime() ?? 0 },
        ]),
      );
    },
    async save(userId, { categories, quietHours, discreet, muteAll, muteAllSince }, tx) {
      const mute = muteAllSince > 0 ? { muteAll, muteAllSince: new Date(muteAllSince) } : {};
      await rows.updateOne(
        { _id: userId },
        { $set: { categories, quietHours, discreet, ...mute } },
        { upsert: true, session: tx },
      );
    },
    async removeAll(userId) {
      return (await rows.deleteOne({ _id: userId })).deletedCount;
    },
  };
};
