import { Schema, type ClientSession, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';
import { backgroundLimit } from '../../../platform/mongo/time-limits.ts';
import { decoyUserId } from './decoy-user-id.ts';

/** An invite. Instants in ms. */
export interface Invite {
  /** SHA-256 of the token. */
  readonly id: string;
  readonly inviter: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** The user who accepted it; null: not used. */
  readonly usedBy: string | null;
}

interface InviteDoc {
  _id: string;
  inviter: string;
  createdAt: Date;
  expiresAt: Date;
  usedBy: string | null;
}

const inviteSchema = new Schema<InviteDoc>({
  _id: { type: String, required: true },
  inviter: { type: String, required: true },
  createdAt: { type: Date, required: true },
  expiresAt: { type: Date, required: true },
  usedBy: { type: String, default: null },
});
inviteSchema.index({ inviter: 1, createdAt: 1 });
inviteSchema.index({ usedBy: 1 });
inviteSchema.index({ expiresAt: 1 });

export interface InviteStore {
  ensureIndexes(): Promise<void>;
  insert(invite: Invite, tx: ClientSession): Promise<void>;
  /** When this user's invites since `since` (ms) were created, oldest first. */
  listMadeSince(inviter: string, since: number, tx: ClientSession): Promise<number[]>;
  find(id: string, tx: ClientSession): Promise<Invite | undefined>;
  /** True for the first use; of two at once, the transaction decides. */
  use(id: string, by: string, tx: ClientSession): Promise<boolean>;
  /** Deletes the invites that have expired by `now` (ms), used or not; returns their number. */
  removeExpired(now: number): Promise<number>;
  /** Deletes every invite of this user, and their id on used invites of others; returns the number of rows. */
  removeAll(userId: string): Promise<number>;
}

export const createInviteStore = (connection: Connection): InviteStore => {
  const { collection: invites, ensureIndexes } = collectionOf(connection, 'friendinvites', inviteSchema);
  return {
    ensureIndexes,
    async insert({ id, createdAt, expiresAt, ...invite }, tx) {
      const doc = { _id: id, ...invite, createdAt: new Date(createdAt), expiresAt: new Date(expiresAt) };
      await invites.insertOne(doc, { session: tx });
    },
    async listMadeSince(inviter, since, tx) {
      const docs = await invites
        .find({ inviter, createdAt: { $gt: new Date(since) } }, { sort: { createdAt: 1 }, session: tx })
        .toArray();
      return docs.map(({ createdAt }) => createdAt.getTime());
    },
    async find(id, tx) {
      const doc = await invites.findOne({ _id: id }, { session: tx });
      if (!doc) return undefined;
      const { inviter, createdAt, expiresAt, usedBy } = doc;
      return { id, inviter, createdAt: createdAt.getTime(), expiresAt: expiresAt.getTime(), usedBy };
    },
    async use(id, by, tx) {
      const { matchedCount } = await invites.updateOne(
        { _id: id, usedBy: null },
        { $set: { usedBy: by } },
        { session: tx },
      );
      return matchedCount === 1;
    },
    async removeExpired(now) {
      const expired = { expiresAt: { $lte: new Date(now) } };
      return (await invites.deleteMany(expired, backgroundLimit)).deletedCount;
    },
    async removeAll(userId) {
      const { deletedCount: sent } = await invites.deleteMany({ inviter: userId });
      // The decoy id keeps a used invite used.
      const { matchedCount: used } = await invites.updateMany(
        { usedBy: userId },
        { $set: { usedBy: decoyUserId } },
      );
      return sent + used;
    },
  };
};
