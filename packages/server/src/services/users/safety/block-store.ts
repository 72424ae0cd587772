import { Schema, type ClientSession, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';

/** `since` in ms. */
export interface Block {
  readonly blocker: string;
  readonly blocked: string;
  /** As shown at the time of the block; undefined in rows from before it was stored. */
  readonly name: string | null | undefined;
  readonly since: number;
}

interface BlockDoc {
  /** `blocker~blocked` */
  _id: string;
  blocker: string;
  blocked: string;
  name?: string | null;
  since: Date;
}

const blockSchema = new Schema<BlockDoc>({
  _id: { type: String, required: true },
  blocker: { type: String, required: true },
  blocked: { type: String, required: true },
  name: String,
  since: { type: Date, required: true },
});
blockSchema.index({ blocker: 1, since: 1, _id: 1 });
blockSchema.index({ blocked: 1 });

export interface BlockStore {
  ensureIndexes(): Promise<void>;
  /** Idempotent: an existing block keeps its name and time. */
  add(block: Block, tx: ClientSession): Promise<void>;
  /** False without such a block. */
  remove(blocker: string, blocked: string): Promise<boolean>;
  /** Oldest first. */
  list(blocker: string): Promise<Block[]>;
  count(blocker: string, tx: ClientSession): Promise<number>;
  /** Whether one of the two has blocked the other, in either direction. */
  isBetween(one: string, other: string, tx: ClientSession): Promise<boolean>;
  /** Deletes every block by or of this user; returns their number. */
  removeAll(userId: string): Promise<number>;
}

const idOf = (blocker: string, blocked: string) => `${blocker}~${blocked}`;

export const createBlockStore = (connection: Connection): BlockStore => {
  const { collection: blocks, ensureIndexes } = collectionOf(connection, 'friendblocks', blockSchema);
  return {
    ensureIndexes,
    async add({ blocker, blocked, name = null, since }, tx) {
      await blocks.updateOne(
        { _id: idOf(blocker, blocked) },
        { $setOnInsert: { blocker, blocked, name, since: new Date(since) } },
        { upsert: true, session: tx },
      );
    },
    async remove(blocker, blocked) {
      const { deletedCount } = await blocks.deleteOne({ _id: idOf(blocker, blocked) });
      return deletedCount === 1;
    },
    async list(blocker) {
      const docs = await blocks.find({ blocker }, { sort: { since: 1, _id: 1 } }).toArray();
      return docs.map(({ blocked, name, since }) => ({ blocker, blocked, name, since: since.getTime() }));
    },
    count: (blocker, tx) => blocks.countDocuments({ blocker }, { session: tx }),
    async isBetween(one, other, tx) {
      const ids = [idOf(one, other), idOf(other, one)];
      const docs = await blocks.find({ _id: { $in: ids } }, { session: tx }).toArray();
      return docs.length > 0;
    },
    async removeAll(userId) {
      const { deletedCount: byUser } = await blocks.deleteMany({ blocker: userId });
      const { deletedCount: ofUser } = await blocks.deleteMany({ blocked: userId });
      return byUser + ofUser;
    },
  };
};
