import type { ClientSession, Collection } from 'mongodb';
import { Schema, type Connection } from 'mongoose';

/** Which account an identity of Apple opens. `sub` is Apple's name for the person within one team of developers. */
interface AppleLinkDoc {
  provider: 'apple';
  sub: string;
  userId: string;
  createdAt: Date;
}

const appleLinkSchema = new Schema<AppleLinkDoc>(
  {
    provider: { type: String, required: true },
    sub: { type: String, required: true },
    userId: { type: String, required: true },
    createdAt: { type: Date, required: true },
  },
  { collection: 'applelinks', versionKey: false },
);
appleLinkSchema.index({ provider: 1, sub: 1 }, { unique: true });
appleLinkSchema.index({ userId: 1 });

export interface AppleLinkStore {
  ensureIndexes(): Promise<void>;
  findUserId(sub: string, tx: ClientSession): Promise<string | undefined>;
  /** A `sub` that is linked already is a duplicate key, and ends the transaction (SIWA-14). */
  link(sub: string, userId: string, now: number, tx: ClientSession): Promise<void>;
}

export const createAppleLinkStore = (connection: Connection): AppleLinkStore => {
  const model = connection.model('AppleLink', appleLinkSchema);
  const links = model.collection as unknown as Collection<AppleLinkDoc>;
  return {
    async ensureIndexes() {
      await model.createCollection();
      await model.createIndexes();
    },
    async findUserId(sub, session) {
      const doc = await links.findOne({ provider: 'apple', sub }, { session, projection: { userId: 1 } });
      return doc?.userId;
    },
    async link(sub, userId, now, session) {
      await links.insertOne({ provider: 'apple', sub, userId, createdAt: new Date(now) }, { session });
    },
  };
};
