import { Schema, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';

/** The notifications that were pushed to a user on their latest day with a push. */
interface PushDayDoc {
  _id: string;
  day: string;
  notifications: string[];
}

const pushDaySchema = new Schema<PushDayDoc>({
  _id: { type: String, required: true },
  day: { type: String, required: true },
  notifications: { type: [String], required: true },
});

export interface PushDayStore {
  ensureIndexes(): Promise<void>;
  /** Counts a notification towards the day's pushes; false if `most` others are counted. Repeating it counts once. */
  take(userId: string, day: string, notification: string, most: number): Promise<boolean>;
  /** Removes everything of this user; answers the number of rows. */
  removeAll(userId: string): Promise<number>;
}

export const createPushDayStore = (connection: Connection): PushDayStore => {
  const { collection: days, ensureIndexes } = collectionOf(connection, 'pushdays', pushDaySchema);
  return {
    ensureIndexes,
    async take(userId, day, notification, most) {
      await days.updateOne({ _id: userId }, { $setOnInsert: { day, notifications: [] } }, { upsert: true });
      await days.updateOne({ _id: userId, day: { $ne: day } }, { $set: { day, notifications: [] } });
      await days.updateOne(
        {
          _id: userId,
          day,
          notifications: { $ne: notification },
          [`notifications.${most - 1}`]: { $exists: false },
        },
        { $push: { notifications: notification } },
      );
      return (await days.findOne({ _id: userId, notifications: notification })) !== null;
    },
    async removeAll(userId) {
      return (await days.deleteOne({ _id: userId })).deletedCount;
    },
  };
};
