import { Schema, trusted, type ClientSession, type Connection } from 'mongoose';
import { backgroundLimit } from '../../../platform/mongo/time-limits.ts';

/** An invite that somebody has made. Instants in ms. */
export interface Invite {
  /** SHA-256 of the token. */
  readonly id: string;
  readonly inviter: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Who became a friend by it. */
  readonly usedBy: string | null;
}

interface InviteDoc {
  _id: string;
  inviter: string;
  createdAt: Date;
  expiresAt: Date;
  usedBy: string | null;
}

const inviteSchema = new Schema<InviteDoc>(
  {
    _id: { type: String, required: true },
    inviter: { type: String, required: true },
    createdAt: { type: Date, required: true },
    expiresAt: { type: Date, required: true },
    usedBy: { type: String, default: null },
  },
  { collection: 'friendinvites', versionKey: false },
);
inviteSchema.index({ inviter: 1, createdAt: 1 });
inviteSchema.index({ usedBy: 1 });
inviteSchema.index({ expiresAt: 1 });

export interface InviteStore {
  ensureIndexes(): Promise<void>;
  insert(invite: Invite, tx: ClientSession): Promise<void>;
  /** When the invites were made that this person has made since `since`, oldest first. */
  listMadeSince(inviter: string, since: number, tx: ClientSession): Promise<number[]>;
  find(id: string, tx: ClientSession): Promise<Invite | undefined>;
  /** True for the one who uses it; the transaction decides between two at once. */
  use(id: string, by: string, tx: ClientSession): Promise<boolean>;
  /** Those that have run out by `now` (ms), used or not; answers how many there were. */
  removeExpired(now: number): Promise<number>;
  /** Every invite that this person has made, and their name on those of others; answers how many there were. */
  removeAll(userId: string): Promise<number>;
}

export const createInviteStore = (connection: Connection): InviteStore => {
  const model = connection.model('FriendInvite', inviteSchema);
  return {
    async ensureIndexes() {
      await model.createCollection();
      await model.createIndexes();
    },
    async insert({ id, createdAt, expiresAt, ...invite }, tx) {
      const doc = { _id: id, ...invite, createdAt: new Date(createdAt), expiresAt: new Date(expiresAt) };
      await model.insertMany([doc], { session: tx });
    },
    async listMadeSince(inviter, since, tx) {
      const docs = await model
        .find({ inviter, createdAt: trusted({ $gt: new Date(since) }) })
        .sort({ createdAt: 1 })
        .session(tx)
        .lean<InviteDoc[]>();
      return docs.map(({ createdAt }) => createdAt.getTime());
    },
    async find(id, tx) {
      const doc = await model.findById(id).session(tx).lean<InviteDoc>();
      if (!doc) return undefined;
      const { inviter, createdAt, expiresAt, usedBy } = doc;
      return { id, inviter, createdAt: createdAt.getTime(), expiresAt: expiresAt.getTime(), usedBy };
    },
    async use(id, by, tx) {
      const { matchedCount } = await model.updateOne(
        { _id: id, usedBy: null },
        { $set: { usedBy: by } },
        { session: tx },
      );
      return matchedCount === 1;
    },
    async removeExpired(now) {
      const over = { expiresAt: trusted({ $lte: new Date(now) }) };
      return (await model.deleteMany(over, backgroundLimit)).deletedCount;
    },
    async removeAll(userId) {
      const { deletedCount: sent } = await model.deleteMany({ inviter: userId });
      // A word that is nobody's id keeps a used invite used.
      const { matchedCount: used } = await model.updateMany({ usedBy: userId }, { $set: { usedBy: '-' } });
      return sent + used;
    },
  };
};
