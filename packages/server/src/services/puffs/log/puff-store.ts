import type { Filter } from 'mongodb';
import type { Connection } from 'mongoose';
import { collectionOf, type OwnedCollection } from '../../../platform/mongo/collection.ts';
import { duplicateKeyPositions } from '../../../platform/mongo/errors.ts';
import { withReadBarrier } from '../../../platform/mongo/read-barrier.ts';
import { foldLimit, type ReadLimit } from './fold-limit.ts';
import type { CountedPuff, LogRecord } from '../domain/log-record.ts';
import { maxQuantityPerDay, type RecordedPuff, type StoredPuff } from '../domain/puff.ts';
import {
  docOfChange,
  docOfPuff,
  logProjection,
  logRecordOf,
  puffRecordSchema,
  recordIdOf,
  storedPuffOf,
  type PuffRecordDoc,
  type NewLogEntry,
} from './puff-record-doc.ts';

/** The outcome of a write is not known: it may or may not be on disk, now or a little later. */
export class UnknownOutcomeError extends Error {}

export interface PuffToInsert {
  person: string;
  puff: RecordedPuff;
}

export interface PuffCursor {
  timestamp: number;
  rev: number;
}

/** One number of the log, for a phone that follows it. */
export type FeedEntry =
  | { readonly rev: number; readonly kind: 'puff'; readonly puff: StoredPuff }
  | { readonly rev: number; readonly kind: 'change'; readonly puff: StoredPuff | undefined }
  | { readonly rev: number; readonly kind: 'clear' | 'empty' };

export interface PuffStore {
  ensureIndexes(): Promise<void>;
  /**
   * One unordered insert, acknowledged by a majority and journalled. Answers the positions that hit a taken key;
   * throws UnknownOutcomeError for anything less clear.
   */
  insert(puffs: readonly PuffToInsert[]): Promise<ReadonlySet<number>>;
  /** False where the number is taken; throws UnknownOutcomeError like `insert`. */
  insertChange(person: string, rev: number, change: NewLogEntry): Promise<boolean>;
  /** A deletion of all; `purgeAt` (ms) is when the content before it goes for good. */
  insertClear(
    person: string,
    rev: number,
    clear: { id: string; at: number; purgeAt: number },
  ): Promise<boolean>;
  /** Fills missing numbers with empty records, so that no writer can insert behind a reader. */
  fillGaps(person: string, revs: readonly number[]): Promise<void>;
  /** The log after `rev`, oldest first, at most `limit` records; majority read. */
  readAfter(person: string, rev: number, limit: number, readLimit?: ReadLimit): Promise<LogRecord[]>;
  /** The same records with the puffs that they are about, as these stand now. */
  readFeedAfter(person: string, rev: number, limit: number): Promise<FeedEntry[]>;
  /** Which of these ids the person has used. */
  findUsedIds(person: string, ids: readonly string[]): Promise<ReadonlySet<string>>;
  find(person: string, id: string): Promise<StoredPuff | undefined>;
  /**
   * The same with every change that was acknowledged before, even while the primary moves: a change made on an older
   * past would move the totals by what is not there any more.
   */
  findNewest(person: string, id: string): Promise<StoredPuff | undefined>;
  /** Live puffs above `clearedRev`, newest first by (timestamp, number of recording). */
  list(
    person: string,
    range: { from?: number; to?: number; before?: PuffCursor; clearedRev: number; limit: number },
  ): Promise<{ puff: RecordedPuff; cursor: PuffCursor }[]>;
  /** What lived between two numbers and was received since `since` (ms), each with what was counted at first. */
  listReceivedSince(
    person: string,
    range: { since: number; after: number; before: number },
  ): Promise<{ id: string; receivedAt: number; original: CountedPuff }[]>;
  /** Those of these puffs that a change with a number below `before` has deleted once, restored or not. */
  findEverDeleted(person: string, ids: readonly string[], before: number): Promise<ReadonlySet<string>>;
  /** The id of the live puff of this session that was received last, at or after `since` (ms), up to `rev`. */
  newestOfSession(
    person: string,
    session: { sessionId: string; since: number; clearedRev: number; rev: number },
  ): Promise<string | undefined>;
}

export const puffRecordsOf = (connection: Connection): OwnedCollection<PuffRecordDoc> =>
  collectionOf(connection, 'puffrecords', puffRecordSchema);

/** Live puffs that a deletion of all has not hidden; without `wallDate` one is deleted for good. */
export const liveAbove = (person: string, clearedRev: number): Filter<PuffRecordDoc> => ({
  person,
  kind: 'puff',
  wallDate: { $exists: true },
  rev: { $gt: clearedRev },
  deletedAt: { $exists: false },
});

/** The numbers of a puff's changes: up to `maxChangesPerPuff`, which a list of puffs does not need. */
const withoutChanges = { changeRevs: 0 } as const;
/** Clocks of two processes may differ by this much. */
const clockSkewMs = 60_000;

export const createPuffStore = (connection: Connection): PuffStore => {
  const { collection: records, ensureIndexes } = puffRecordsOf(connection);

  const insertDocs = async (docs: PuffRecordDoc[]): Promise<ReadonlySet<number>> => {
    try {
      await records.insertMany(docs, { ordered: false });
      return new Set();
    } catch (error) {
      // Which of the two keys was taken follows from reading the log afterwards.
      const taken = duplicateKeyPositions(error);
      if (!taken) throw new UnknownOutcomeError('the write has no clear outcome', { cause: error });
      return taken;
    }
  };
  /** For a reader: what the database says of it is a fault of a read. */
  const insertEmpty = (docs: PuffRecordDoc[]) =>
    insertDocs(docs).catch((error: unknown) => {
      throw error instanceof UnknownOutcomeError ? error.cause : error;
    });
  const insertOne = async (doc: PuffRecordDoc) => (await insertDocs([doc])).size === 0;
  const after = (person: string, rev: number) => ({ person, rev: { $gt: rev } });

  return {
    ensureIndexes,
    insert: (puffs) => insertDocs(puffs.map(({ person, puff }) => docOfPuff(person, puff))),
    insertChange: (person, rev, change) => insertOne(docOfChange(person, rev, change)),
    insertClear: (person, rev, { id, at, purgeAt }) =>
      insertOne({
        _id: recordIdOf(person, id),
        person,
        rev,
        kind: 'clear',
        at: new Date(at),
        purgeAt: new Date(purgeAt),
      }),
    async fillGaps(person, revs) {
      await insertEmpty(
        revs.map((rev) => ({ _id: recordIdOf(person, `~${rev}`), person, rev, kind: 'empty' })),
      );
    },
    async readAfter(person, rev, limit, readLimit = foldLimit) {
      const docs = await records
        .find(after(person, rev), { projection: logProjection, sort: { rev: 1 }, limit, ...readLimit })
        .toArray();
      return docs.map(logRecordOf);
    },
    async readFeedAfter(person, rev, limit) {
      const docs = await records
        .find(after(person, rev), { projection: withoutChanges, sort: { rev: 1 }, limit })
        .toArray();
      const targets = docs.flatMap(({ target }) =>
        target === undefined ? [] : [recordIdOf(person, target)],
      );
      const found = await records.find({ _id: { $in: targets } }, { projection: withoutChanges }).toArray();
      const puffs = new Map(found.map((doc) => [doc._id, storedPuffOf(doc)]));
      return docs.map((doc): FeedEntry => {
        const { kind } = doc;
        if (kind === 'puff') return { rev: doc.rev, kind, puff: storedPuffOf(doc) };
        if (kind === 'change')
          return { rev: doc.rev, kind, puff: puffs.get(recordIdOf(person, doc.target ?? '')) };
        return { rev: doc.rev, kind };
      });
    },
    async findUsedIds(person, ids) {
      const docs = await records
        .find({ _id: { $in: ids.map((id) => recordIdOf(person, id)) } }, { projection: { _id: 1 } })
        .toArray();
      return new Set(docs.map((doc) => doc._id.slice(person.length + 1)));
    },
    async find(person, id) {
      const doc = await records.findOne({ _id: recordIdOf(person, id) }, { projection: withoutChanges });
      return doc ? storedPuffOf(doc) : undefined;
    },
    async findNewest(person, id) {
      const doc = await withReadBarrier(connection.getClient(), records, (session) =>
        records.findOne({ _id: recordIdOf(person, id) }, { session }),
      );
      return doc ? storedPuffOf(doc) : undefined;
    },
    async list(person, { from, to, before, clearedRev, limit }) {
      const docs = await records
        .find(
          {
            ...liveAbove(person, clearedRev),
            timestamp: {
              ...(from !== undefined && { $gte: new Date(from) }),
              ...(to !== undefined && { $lt: new Date(to) }),
              ...(before && { $lte: new Date(before.timestamp) }),
              $type: 'date',
            },
            ...(before && {
              $or: [{ timestamp: { $lt: new Date(before.timestamp) } }, { rev: { $lt: before.rev } }],
            }),
          },
          { projection: withoutChanges, sort: { timestamp: -1, rev: -1 }, limit },
        )
        .toArray();
      return docs.flatMap((doc) => {
        const { content } = storedPuffOf(doc);
        return content
          ? [{ puff: content.puff, cursor: { timestamp: content.puff.timestamp, rev: doc.rev } }]
          : [];
      });
    },
    async listReceivedSince(person, { since, after, before }) {
      const docs = await records
        .find(
          {
            ...liveAbove(person, after),
            rev: { $gt: after, $lt: before },
          },
          // By number, which follows the receipt: the time of a puff may have been changed since it was shown.
          { projection: withoutChanges, sort: { rev: -1 }, limit: maxQuantityPerDay },
        )
        .toArray();
      const isRecent = ({ receivedAt }: PuffRecordDoc) =>
        receivedAt !== undefined && receivedAt.getTime() >= since;
      return docs.filter(isRecent).flatMap((doc) => {
        const { id, content } = storedPuffOf(doc);
        return content ? [{ id, receivedAt: content.puff.receivedAt, original: content.original }] : [];
      });
    },
    async findEverDeleted(person, ids, before) {
      const docs = await records
        .find({ _id: { $in: ids.map((id) => recordIdOf(person, id)) } }, { projection: { changeRevs: 1 } })
        .toArray();
      const revs = docs.flatMap(({ changeRevs = [] }) => changeRevs.filter((rev) => rev < before));
      if (revs.length === 0) return new Set();
      const changes = await records
        .find({ person, rev: { $in: revs } }, { projection: { target: 1, 'after.deletedAt': 1 } })
        .toArray();
      return new Set(
        changes.flatMap(({ target, after }) => (target !== undefined && after?.deletedAt ? [target] : [])),
      );
    },
    async newestOfSession(person, { sessionId, since, clearedRev, rev }) {
      // By number, newest first: numbers follow the order of receipt, so this ends soon after `since`.
      const cursor = records.find(
        { person, rev: { $gt: clearedRev, $lte: rev } },
        { sort: { rev: -1 }, batchSize: 100 },
      );
      for await (const doc of cursor) {
        const receivedAt = (doc.receivedAt ?? doc.at)?.getTime();
        if (receivedAt === undefined) continue;
        if (receivedAt < since - clockSkewMs) return undefined;
        if (doc.kind === 'puff' && doc.sessionId === sessionId && !doc.deletedAt && receivedAt >= since)
          return storedPuffOf(doc).id;
      }
      return undefined;
    },
  };
};
