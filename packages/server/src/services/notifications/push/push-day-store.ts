import type { Collection } from 'mongodb';
import { Schema, type Connection } from 'mongoose';

/** What was pushed to a person on the newest of their days. */
interface PushDayDoc {
  _id: string;
  day: string;
  notifications: string[];
}

const pushDaySchema = new Schema<PushDayDoc>(
  {
    _id: { type: String, required: true },
    day: { type: String, required: true },
    notifications: { type: [String], required: true },
  },
  { collection: 'pushdays', versionKey: false },
);

export interface PushDayStore {
  ensureIndexes(): Promise<void>;
  /** Counts a notification among the pushes of a day; false where `most` others were. Once, however often it is asked. */
  take(userId: string, day: string, notification: string, most: number): Promise<boolean>;
  /** Everything of this person; answers how many rows there were. */
  removeAll(userId: string): Promise<number>;
}

export const createPushDayStore = (connection: Connection): PushDayStore => {
  const model = connection.model('PushDay', pushDaySchema);
  const days = model.collection as unknown as Collection<PushDayDoc>;
  return {
    async ensureIndexes() {
      await model.createCollection();
    },
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
