import type { NotificationCategory, PersistentEventName } from '@pufftrack/contract';
import type { ClientSession, Filter } from 'mongodb';
import { Schema, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';
import { backgroundLimit } from '../../../platform/mongo/time-limits.ts';
import type { NotificationKind } from './notification-event.ts';

/** A notification in a user's inbox. Instants in ms. */
export interface InboxRow {
  readonly id: string;
  readonly userId: string;
  /** The user's next number, from 1, without gaps, in the order of the commits. */
  readonly seq: number;
  readonly kind: NotificationKind;
  readonly category: NotificationCategory;
  readonly event: PersistentEventName;
  readonly title: string;
  readonly body: string;
  readonly data: Readonly<Record<string, string>>;
  readonly createdAt: number;
  readonly readAt: number | null;
}

interface InboxDoc extends Omit<InboxRow, 'id' | 'createdAt' | 'readAt'> {
  _id: string;
  createdAt: Date;
  readAt: Date | null;
}

/** The newest number of a user. */
interface HeadDoc {
  _id: string;
  seq: number;
}

const inboxSchema = new Schema<InboxDoc>({
  _id: { type: String, required: true },
  userId: { type: String, required: true },
  seq: { type: Number, required: true },
  kind: { type: String, required: true },
  category: { type: String, required: true },
  event: { type: String, required: true },
  title: { type: String, required: true },
  body: { type: String, required: true },
  data: Schema.Types.Mixed,
  createdAt: { type: Date, required: true },
  readAt: Date,
});
inboxSchema.index({ userId: 1, seq: 1 }, { unique: true });
inboxSchema.index({ userId: 1, readAt: 1 });
inboxSchema.index({ createdAt: 1 });
// Finds the rows that name a user, to remove the name.
inboxSchema.index({ 'data.userId': 1 }, { sparse: true });

// Finds the rows about a milestone, for its next cheer and its revocation.
inboxSchema.index({ 'data.milestoneId': 1 }, { sparse: true });

const headSchema = new Schema<HeadDoc>({
  _id: { type: String, required: true },
  seq: { type: Number, required: true },
});

/** User ids begin with a digit or a letter, so decoy inboxes sort after all of them. */
const decoyMark = '~';
/**
 * An inbox without an owner, for a notification that must not be delivered but must cost the same. One for each row, so
 * that two requests to unknown codes do not conflict.
 */
export const decoyInboxId = (rowId: string): string => `${decoyMark}${rowId}`;

/** A failover could roll back anything less, and it would have been delivered already. */
const committed = { readConcern: { level: 'majority' } } as const;

/** Restricts which rows that name a user are changed; all of them without a member. */
export interface HiddenWhere {
  readonly inboxOf?: string;
  /** The row about this friend request alone. */
  readonly requestId?: string;
}

export interface InboxStore {
  ensureIndexes(): Promise<void>;
  /** Assigns the user's next number. Two transactions for one inbox conflict, so numbers follow the order of the commits. */
  append(row: Omit<InboxRow, 'seq' | 'readAt'>, tx: ClientSession): Promise<void>;
  /**
   * Replaces the text of an unread row about the same milestone; false if there is none. The row keeps its number, so open
   * sockets receive nothing.
   */
  join(
    row: Pick<InboxRow, 'userId' | 'kind' | 'data'> & { together: string },
    tx: ClientSession,
  ): Promise<boolean>;
  /** Marks the notifications about these milestones as read. */
  markMilestonesRead(
    userId: string,
    milestoneIds: readonly string[],
    now: number,
    tx: ClientSession,
  ): Promise<void>;
  /** The newest number; 0 for an empty inbox. */
  head(userId: string): Promise<number>;
  heads(userIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Oldest first. */
  listAfter(userId: string, seq: number, limit: number): Promise<InboxRow[]>;
  /** Newest first. */
  listBefore(userId: string, seq: number, limit: number): Promise<InboxRow[]>;
  countUnread(userId: string): Promise<number>;
  find(id: string): Promise<InboxRow | undefined>;
  /** The ids that are in this inbox; all without ids. */
  markRead(userId: string, ids: readonly string[] | undefined, now: number): Promise<void>;
  removeBefore(instant: number): Promise<number>;
  /** Removes the decoy inboxes. */
  removeDecoys(): Promise<number>;
  /**
   * Removes this user's inbox, and their name from the inboxes of others. Answers the number of rows.
   */
  removeAll(userId: string, now: number): Promise<number>;
  /**
   * Removes a user's name from notifications. The rows stay, because numbers have no gaps; cheers are marked as read
   * (`now`, ms).
   */
  hideName(named: string, now: number, where?: HiddenWhere, tx?: ClientSession): Promise<void>;
}

export const createInboxStore = (connection: Connection): InboxStore => {
  const { collection: rows, ensureIndexes: ensureRows } = collectionOf(
    connection,
    'notifications',
    inboxSchema,
  );
  const { collection: heads, ensureIndexes: ensureHeads } = collectionOf(
    connection,
    'inboxheads',
    headSchema,
  );

  /** A title never contains a name, so it replaces the body. */
  const hideName = async (
    named: string,
    now: number,
    { inboxOf, requestId }: HiddenWhere = {},
    tx?: ClientSession,
  ): Promise<number> => {
    const filter: Filter<InboxDoc> = {
      'data.userId': named,
      ...(inboxOf !== undefined && { userId: inboxOf }),
      ...(requestId !== undefined && { 'data.requestId': requestId }),
    };
    const readAt = {
      $cond: [{ $eq: ['$category', 'cheer'] }, { $ifNull: ['$readAt', new Date(now)] }, '$readAt'],
    };
    const blank = { $set: { body: '$title', data: { $literal: {} }, readAt } };
    return (await rows.updateMany(filter, [blank], { ...(tx && { session: tx }) })).matchedCount;
  };

  return {
    async ensureIndexes() {
      await ensureRows();
      await ensureHeads();
    },
    async append({ id, createdAt, ...row }, tx) {
      const head = await heads.findOneAndUpdate(
        { _id: row.userId },
        { $inc: { seq: 1 } },
        { upsert: true, returnDocument: 'after', session: tx },
      );
      const seq = head?.seq ?? 1;
      await rows.insertOne(
        { _id: id, ...row, seq, createdAt: new Date(createdAt), readAt: null },
        { session: tx },
      );
    },
    async join({ userId, kind, data, together }, tx) {
      const row = await rows.findOne(
        { 'data.milestoneId': data['milestoneId'] ?? '', userId, kind, readAt: null },
        { session: tx },
      );
      if (!row) return false;
      if (row.data['userId'] !== data['userId'])
        await rows.updateOne({ _id: row._id }, { $set: { body: together, data } }, { session: tx });
      return true;
    },
    async markMilestonesRead(userId, milestoneIds, now, tx) {
      if (milestoneIds.length === 0) return;
      await rows.updateMany(
        { 'data.milestoneId': { $in: [...milestoneIds] }, userId, readAt: null },
        { $set: { readAt: new Date(now) } },
        { session: tx },
      );
    },
    async head(userId) {
      return (await heads.findOne({ _id: userId }, committed))?.seq ?? 0;
    },
    async heads(userIds) {
      const docs = await heads
        .find({ _id: { $in: [...userIds] } }, { ...committed, projection: { seq: 1 } })
        .toArray();
      return new Map(docs.map(({ _id, seq }) => [_id, seq]));
    },
    async listAfter(userId, seq, limit) {
      const docs = await rows
        .find({ userId, seq: { $gt: seq } }, { ...committed, sort: { seq: 1 }, limit })
        .toArray();
      return docs.map(toRow);
    },
    async listBefore(userId, seq, limit) {
      const docs = await rows
        .find({ userId, seq: { $lt: seq } }, { ...committed, sort: { seq: -1 }, limit })
        .toArray();
      return docs.map(toRow);
    },
    countUnread: (userId) => rows.countDocuments({ userId, readAt: null }),
    async find(id) {
      const doc = await rows.findOne({ _id: id });
      return doc ? toRow(doc) : undefined;
    },
    async markRead(userId, ids, now) {
      await rows.updateMany(
        { ...(ids && { _id: { $in: [...ids] } }), userId, readAt: null },
        { $set: { readAt: new Date(now) } },
      );
    },
    async removeBefore(instant) {
      return (await rows.deleteMany({ createdAt: { $lt: new Date(instant) } }, backgroundLimit)).deletedCount;
    },
    async removeDecoys() {
      await heads.deleteMany({ _id: { $gte: decoyMark } }, backgroundLimit);
      return (await rows.deleteMany({ userId: { $gte: decoyMark } }, backgroundLimit)).deletedCount;
    },
    async removeAll(userId, now) {
      const { deletedCount: own } = await rows.deleteMany({ userId });
      const { deletedCount: head } = await heads.deleteOne({ _id: userId });
      return own + head + (await hideName(userId, now));
    },
    async hideName(...what) {
      await hideName(...what);
    },
  };
};

const toRow = ({ _id, createdAt, readAt, ...row }: InboxDoc): InboxRow => ({
  ...row,
  id: _id,
  createdAt: createdAt.getTime(),
  readAt: readAt?.getTime() ?? null,
});
