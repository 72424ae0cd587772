import { Schema, trusted, type ClientSession, type Connection } from 'mongoose';

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

const blockSchema = new Schema<BlockDoc>(
  {
    _id: { type: String, required: true },
    blocker: { type: String, required: true },
    blocked: { type: String, required: true },
    name: String,
    since: { type: Date, required: true },
  },
  { collection: 'friendblocks', versionKey: false },
);
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
  const model = connection.model('FriendBlock', blockSchema);
  return {
    async ensureIndexes() {
      await model.createCollection();
      await model.createIndexes();
    },
    async add({ blocker, blocked, name = null, since }, tx) {
      await model.updateOne(
        { _id: idOf(blocker, blocked) },
        { $setOnInsert: { blocker, blocked, name, since: new Date(since) } },
        { upsert: true, session: tx },
      );
    },
    async remove(blocker, blocked) {
      const { deletedCount } = await model.deleteOne({ _id: idOf(blocker, blocked) });
      return deletedCount === 1;
    },
    async list(blocker) {
      const docs = await model.find({ blocker }).sort({ since: 1, _id: 1 }).lean<BlockDoc[]>();
      return docs.map(({ blocked, name, since }) => ({ blocker, blocked, name, since: since.getTime() }));
    },
    count: (blocker, tx) => model.countDocuments({ blocker }).session(tx).exec(),
    async isBetween(one, other, tx) {
      const ids = [idOf(one, other), idOf(other, one)];
      const docs = await model
        .find({ _id: trusted({ $in: ids }) })
        .session(tx)
        .lean<BlockDoc[]>();
      return docs.length > 0;
    },
    async removeAll(userId) {
      const { deletedCount: byUser } = await model.deleteMany({ blocker: userId });
      const { deletedCount: ofUser } = await model.deleteMany({ blocked: userId });
      return byUser + ofUser;
    },
  };
};
