import type { CheerKind } from '@pufftrack/contract';
import type { ClientSession } from 'mongodb';
import { Schema, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';
import { wholeListBatchSize } from '../../../platform/mongo/batch.ts';
import type { Cheer } from '../milestones/milestone.ts';

/** One for each milestone, sender and kind. */
interface CheerDoc extends Cheer {
  /** `milestone~sender~kind`. */
  _id: string;
  at: Date;
  /** When it was removed; absent while it is active. The row stays, so that the owner is not notified twice. */
  removedAt?: Date;
}

interface SenderDoc {
  _id: string;
  /** The cheers of the 24 hours before the newest one. */
  sentAt: Date[];
  /** Increases with every change, so that two transactions conflict. */
  turn: number;
}

const cheerSchema = new Schema<CheerDoc>({
  _id: { type: String, required: true },
  milestoneId: { type: String, required: true },
  owner: { type: String, required: true },
  sender: { type: String, required: true },
  kind: { type: String, required: true },
  at: { type: Date, required: true },
  removedAt: Date,
});
cheerSchema.index({ milestoneId: 1, sender: 1 });
cheerSchema.index({ sender: 1, owner: 1 });
cheerSchema.index({ owner: 1 });

const senderSchema = new Schema<SenderDoc>({
  _id: { type: String, required: true },
  sentAt: { type: [Date], required: true },
  turn: { type: Number, required: true },
});

export interface CheerStore {
  ensureIndexes(): Promise<void>;
  /** The active cheers of these milestones. */
  list(milestoneIds: readonly string[]): Promise<Cheer[]>;
  find(cheer: Cheer, tx: ClientSession): Promise<'none' | 'active' | 'removed'>;
  /** Also activates a removed one. */
  add(cheer: Cheer, now: number, tx: ClientSession): Promise<void>;
  /** The cheers of a sender, of one kind or of all; answers the number of active ones. */
  remove(
    sender: string,
    milestoneId: string,
    what: { kind: CheerKind | undefined; now: number },
    tx: ClientSession,
  ): Promise<number>;
  /** When this sender cheered (ms), oldest first. Two transactions that lock one sender conflict, so that each cheer counts. */
  lockSender(sender: string, tx: ClientSession): Promise<number[]>;
  saveSent(sender: string, sentAt: readonly number[], tx: ClientSession): Promise<void>;
  removeOf(milestoneIds: readonly string[], tx: ClientSession): Promise<void>;
  /** In both directions. */
  removeBetween(one: string, other: string, tx: ClientSession): Promise<void>;
  /** Removes everything of this user; answers the number of rows. */
  removeAll(userId: string): Promise<number>;
}

const idOf = ({ milestoneId, sender, kind }: Cheer) => `${milestoneId}~${sender}~${kind}`;

export const createCheerStore = (connection: Connection): CheerStore => {
  const { collection: rows, ensureIndexes: ensureRows } = collectionOf(connection, 'cheers', cheerSchema);
  const { collection: senders, ensureIndexes: ensureSenders } = collectionOf(
    connection,
    'cheersenders',
    senderSchema,
  );

  const lockSender: CheerStore['lockSender'] = async (sender, tx) => {
    const doc = await senders.findOneAndUpdate(
      { _id: sender },
      { $inc: { turn: 1 }, $setOnInsert: { sentAt: [] } },
      { upsert: true, returnDocument: 'after', session: tx },
    );
    return (doc?.sentAt ?? []).map((at) => at.getTime());
  };

  return {
    lockSender,
    async ensureIndexes() {
      await ensureRows();
      await ensureSenders();
    },
    async list(milestoneIds) {
      const docs = await rows
        .find(
          { milestoneId: { $in: [...milestoneIds] }, removedAt: { $exists: false } },
          { batchSize: wholeListBatchSize },
        )
        .toArray();
      return docs.map(({ milestoneId, owner, sender, kind }) => ({ milestoneId, owner, sender, kind }));
    },
    async find(cheer, tx) {
      const doc = await rows.findOne({ _id: idOf(cheer) }, { session: tx });
      if (!doc) return 'none';
      return doc.removedAt ? 'removed' : 'active';
    },
    async add(cheer, now, tx) {
      await rows.updateOne(
        { _id: idOf(cheer) },
        { $setOnInsert: { ...cheer, at: new Date(now) }, $unset: { removedAt: 1 } },
        { upsert: true, session: tx },
      );
    },
    async remove(sender, milestoneId, { kind, now }, tx) {
      const { modifiedCount } = await rows.updateMany(
        { milestoneId, sender, ...(kind && { kind }), removedAt: { $exists: false } },
        { $set: { removedAt: new Date(now) } },
        { session: tx },
      );
      return modifiedCount;
    },
    async saveSent(sender, sentAt, tx) {
      await senders.updateOne(
        { _id: sender },
        { $set: { sentAt: sentAt.map((at) => new Date(at)) } },
        { session: tx },
      );
    },
    async removeOf(milestoneIds, tx) {
      if (milestoneIds.length === 0) return;
      await rows.deleteMany({ milestoneId: { $in: [...milestoneIds] } }, { session: tx });
    },
    async removeBetween(one, other, tx) {
      for (const [sender, owner] of [
        [one, other],
        [other, one],
      ] as const) {
        // A concurrent cheer conflicts here, and its retry finds the friendship ended.
        await lockSender(sender, tx);
        await rows.deleteMany({ sender, owner }, { session: tx });
      }
    },
    async removeAll(userId) {
      const { deletedCount: own } = await rows.deleteMany({ owner: userId });
      const { deletedCount: sent } = await rows.deleteMany({ sender: userId });
      return own + sent + (await senders.deleteOne({ _id: userId })).deletedCount;
    },
  };
};
