import type { ShareLevel } from '@pufftrack/contract';
import type { Filter } from 'mongodb';
import { Schema, type ClientSession, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';
import { backgroundLimit } from '../../../platform/mongo/time-limits.ts';
import { decoyUserId } from './decoy-user-id.ts';

/** A friend request. Its sender sees it whether or not it was delivered. Instants in ms. */
export interface FriendRequest {
  readonly id: string;
  readonly from: string;
  /** The account with the friend code; null: no account has it. Never shown to the sender. */
  readonly to: string | null;
  /** The recipient sees it. */
  readonly delivered: boolean;
  /** As typed. */
  readonly friendCode: string;
  /** What the sender shares; null: the sender's default at the time of acceptance. */
  readonly shareLevel: ShareLevel | null;
  readonly state: 'open' | 'accepted' | 'declined' | 'cancelled';
  readonly createdAt: number;
  readonly expiresAt: number;
}

interface FriendRequestDoc {
  _id: string;
  from: string;
  to: string | null;
  delivered: boolean;
  friendCode: string;
  shareLevel: ShareLevel | null;
  state: FriendRequest['state'];
  createdAt: Date;
  expiresAt: Date;
  declinedAt?: Date;
}

const friendRequestSchema = new Schema<FriendRequestDoc>({
  _id: { type: String, required: true },
  from: { type: String, required: true },
  to: { type: String, default: null },
  delivered: { type: Boolean, required: true },
  friendCode: { type: String, required: true },
  shareLevel: { type: String, default: null },
  state: { type: String, enum: ['open', 'accepted', 'declined', 'cancelled'], required: true },
  createdAt: { type: Date, required: true },
  expiresAt: { type: Date, required: true },
  declinedAt: Date,
});
friendRequestSchema.index({ from: 1, createdAt: 1, _id: 1 });
friendRequestSchema.index({ to: 1, state: 1, createdAt: 1, _id: 1 });
friendRequestSchema.index({ from: 1, to: 1, createdAt: 1, _id: 1 });
friendRequestSchema.index({ createdAt: 1 });

export interface FriendRequestStore {
  ensureIndexes(): Promise<void>;
  insert(request: FriendRequest, tx: ClientSession): Promise<void>;
  /** Friend requests of this user since `since`, oldest first, in any state. */
  listSentSince(person: string, since: number, tx: ClientSession): Promise<FriendRequest[]>;
  /** What the sender still sees: neither accepted nor cancelled nor expired. Oldest first. */
  listSent(person: string, now: number, tx?: ClientSession): Promise<FriendRequest[]>;
  /** What waits for this user's response, oldest first. */
  listReceived(person: string, now: number): Promise<FriendRequest[]>;
  countReceived(person: string, now: number, tx: ClientSession): Promise<number>;
  /** A delivered friend request that waits for the response of `to`. */
  findOpen(
    from: string,
    to: string | null,
    now: number,
    tx: ClientSession,
  ): Promise<FriendRequest | undefined>;
  /** Whether `to` has declined `from` since `since`; a friend request that was cancelled afterwards counts too. */
  wasDeclined(from: string, to: string | null, since: number, tx: ClientSession): Promise<boolean>;
  findReceived(id: string, to: string, tx: ClientSession): Promise<FriendRequest | undefined>;
  /** Every friend request between the two, in both directions. */
  acceptAllBetween(one: string, other: string, tx: ClientSession): Promise<void>;
  /** False without a delivered friend request to this user. Idempotent. */
  decline(id: string, to: string, now: number): Promise<boolean>;
  /**
   * Returns the recipient (null: no account); undefined where this user has no such friend request, or it was accepted.
   * Idempotent.
   */
  cancel(id: string, from: string): Promise<{ to: string | null } | undefined>;
  /**
   * Cancels the friend requests of the blocker, and withdraws the delivery of those to the blocker, without notifications.
   * Returns the ids of the cancelled ones.
   */
  dropBetween(blocker: string, blocked: string, tx: ClientSession): Promise<string[]>;
  /** Deletes those created before `instant` (ms), in any state; returns their number. */
  removeCreatedBefore(instant: number): Promise<number>;
  /**
   * Deletes what is stored of a deleted account. A friend request to it stays with its sender, as one to an unknown code,
   * so that the deletion does not reveal that the code existed (domain.md D10). Returns the number of rows.
   */
  removeAll(person: string): Promise<number>;
}

export const createFriendRequestStore = (connection: Connection): FriendRequestStore => {
  const { collection: requests, ensureIndexes } = collectionOf(
    connection,
    'friendrequests',
    friendRequestSchema,
  );
  const after = (instant: number) => ({ $gt: new Date(instant) });
  const many = async (filter: Filter<FriendRequestDoc>, tx?: ClientSession) => {
    const docs = await requests
      .find(filter, { sort: { createdAt: 1, _id: 1 }, ...(tx && { session: tx }) })
      .toArray();
    return docs.map(toRequest);
  };

  return {
    ensureIndexes,
    async insert({ id, createdAt, expiresAt, ...request }, tx) {
      const doc = { _id: id, ...request, createdAt: new Date(createdAt), expiresAt: new Date(expiresAt) };
      await requests.insertOne(doc, { session: tx });
    },
    listSentSince: (person, since, tx) => many({ from: person, createdAt: after(since) }, tx),
    listSent: (person, now, tx) =>
      many({ from: person, state: { $in: ['open', 'declined'] }, expiresAt: after(now) }, tx),
    listReceived: (person, now) =>
      many({ to: person, state: 'open', delivered: true, expiresAt: after(now) }),
    countReceived: (person, now, tx) =>
      requests.countDocuments(
        { to: person, state: 'open', delivered: true, expiresAt: after(now) },
        { session: tx },
      ),
    async findOpen(from, to, now, tx) {
      const open = { state: 'open', delivered: true, expiresAt: after(now) } as const;
      return (await many({ from, to: to ?? decoyUserId, ...open }, tx))[0];
    },
    async wasDeclined(from, to, since, tx) {
      const declined = { state: { $in: ['declined', 'cancelled'] }, declinedAt: after(since) } as const;
      return (await many({ from, to: to ?? decoyUserId, ...declined }, tx)).length > 0;
    },
    async findReceived(id, to, tx) {
      const doc = await requests.findOne({ _id: id, to, delivered: true }, { session: tx });
      return doc ? toRequest(doc) : undefined;
    },
    async acceptAllBetween(one, other, tx) {
      for (const [from, to] of [
        [one, other],
        [other, one],
      ] as const)
        await requests.updateMany({ from, to }, { $set: { state: 'accepted' } }, { session: tx });
    },
    async decline(id, to, now) {
      const { matchedCount } = await requests.updateOne(
        {
          _id: id,
          to,
          delivered: true,
          state: { $in: ['open', 'declined'] },
          expiresAt: after(now),
        },
        { $set: { state: 'declined', declinedAt: new Date(now) } },
      );
      return matchedCount > 0;
    },
    async cancel(id, from) {
      const doc = await requests.findOneAndUpdate(
        { _id: id, from, state: { $ne: 'accepted' } },
        { $set: { state: 'cancelled' } },
      );
      return doc ? { to: doc.to } : undefined;
    },
    async dropBetween(blocker, blocked, tx) {
      const open = await many({ from: blocker, to: blocked, state: 'open' }, tx);
      await requests.updateMany(
        { from: blocker, to: blocked, state: 'open' },
        { $set: { state: 'cancelled' } },
        { session: tx },
      );
      await requests.updateMany(
        { from: blocked, to: blocker },
        { $set: { delivered: false } },
        { session: tx },
      );
      return open.map(({ id }) => id);
    },
    async removeCreatedBefore(instant) {
      const old = { createdAt: { $lt: new Date(instant) } };
      return (await requests.deleteMany(old, backgroundLimit)).deletedCount;
    },
    async removeAll(person) {
      const { deletedCount: sent } = await requests.deleteMany({ from: person });
      const { deletedCount: accepted } = await requests.deleteMany({ to: person, state: 'accepted' });
      const { matchedCount: cancelled } = await requests.updateMany(
        { to: person, state: 'cancelled' },
        { $set: { to: null, delivered: false } },
      );
      const { matchedCount: open } = await requests.updateMany(
        { to: person },
        { $set: { to: null, delivered: false, state: 'open' }, $unset: { declinedAt: '' } },
      );
      return sent + accepted + cancelled + open;
    },
  };
};

const toRequest = (doc: FriendRequestDoc): FriendRequest => ({
  id: doc._id,
  from: doc.from,
  to: doc.to,
  delivered: doc.delivered,
  friendCode: doc.friendCode,
  shareLevel: doc.shareLevel,
  state: doc.state,
  createdAt: doc.createdAt.getTime(),
  expiresAt: doc.expiresAt.getTime(),
});
