import type { ClientSession, Collection } from 'mongodb';
import { Schema, type Connection } from 'mongoose';
import { defaultPreferences, type StoredPreferences } from './preferences.ts';

interface PreferencesDoc extends StoredPreferences {
  _id: string;
}

const preferencesSchema = new Schema<PreferencesDoc>(
  {
    _id: { type: String, required: true },
    categories: Schema.Types.Mixed,
    quietHours: Schema.Types.Mixed,
    discreet: { type: Boolean, required: true },
  },
  { collection: 'notificationpreferences', versionKey: false },
);

export interface PreferencesStore {
  ensureIndexes(): Promise<void>;
  /** The defaults where the person has said nothing. */
  find(userId: string, tx?: ClientSession): Promise<StoredPreferences>;
  save(userId: string, preferences: StoredPreferences, tx: ClientSession): Promise<void>;
  /** Everything of this person; answers how many rows there were. */
  removeAll(userId: string): Promise<number>;
}

export const createPreferencesStore = (connection: Connection): PreferencesStore => {
  const model = connection.model('NotificationPreferences', preferencesSchema);
  const rows = model.collection as unknown as Collection<PreferencesDoc>;
  return {
    async ensureIndexes() {
      await model.createCollection();
    },
    async find(userId, tx) {
      const doc = await rows.findOne({ _id: userId }, tx ? { session: tx } : {});
      if (!doc) return defaultPreferences;
      const { categories, quietHours, discreet } = doc;
      return { categories, quietHours, discreet };
    },
    async save(userId, { categories, quietHours, discreet }, tx) {
      await rows.updateOne(
        { _id: userId },
        { $set: { categories, quietHours, discreet } },
        { upsert: true, session: tx },
      );
    },
    async removeAll(userId) {
      return (await rows.deleteOne({ _id: userId })).deletedCount;
    },
  };
};
