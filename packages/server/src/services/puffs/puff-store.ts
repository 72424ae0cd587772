import type { Collection } from 'mongodb';
import { Schema, type Connection } from 'mongoose';
import { duplicateKeyPositions } from '../../platform/mongo/errors.ts';
import { dayNumberOf, dayOf, type DayNumber } from './local-day.ts';
import type { RecordedPuff } from './puff.ts';
import type { LogRecord } from './puff-state.ts';

/** A document of the log. `_id` is (person, client id), so the same id again is a duplicate key on that record. */
interface PuffRecordDoc {
  _id: string;
  person: string;
  /** The person's own number, from 1, without gaps once a reader has passed. */
  rev: number;
  kind: 'puff' | 'empty';
  timestamp?: Date;
  timeZone?: string;
  timeZoneInferred?: boolean;
  wallDate?: string;
  wallHour?: number;
  quantity?: number;
  product?: 'vape' | 'cigarette';
  trigger?: string | null;
  deviceId?: string | null;
  receivedAt?: Date;
  sessionId?: string;
}

const puffRecordSchema = new Schema<PuffRecordDoc>(
  {
    _id: { type: String, required: true },
    person: { type: String, required: true },
    rev: { type: Number, required: true },
    kind: { type: String, enum: ['puff', 'empty'], required: true },
    timestamp: Date,
    timeZone: String,
    timeZoneInferred: Boolean,
    wallDate: String,
    wallHour: Number,
    quantity: Number,
    product: String,
    trigger: String,
    deviceId: String,
    receivedAt: Date,
    sessionId: String,
  },
  { collection: 'puffrecords', versionKey: false },
);
puffRecordSchema.index({ person: 1, rev: 1 }, { unique: true });
puffRecordSchema.index({ person: 1, timestamp: 1, rev: 1 });

/** The outcome of a write is not known: it may or may not be on disk, now or a little later. */
export class UnknownOutcome extends Error {}

export interface PuffToInsert {
  person: string;
  puff: RecordedPuff;
}

export interface PuffCursor {
  timestamp: number;
  rev: number;
}

/** What one person took of one product in one hour of UTC. */
export interface PersonHour {
  readonly person: string;
  readonly product: 'vape' | 'cigarette';
  /** ms: the beginning of the hour. */
  readonly hour: number;
  readonly puffs: number;
  readonly quantity: number;
}

/** Sums of a person's records as the database adds them up, for comparison with a fold. */
export interface RawSum {
  readonly wallDate: DayNumber;
  readonly wallHour: number;
  readonly records: number;
  readonly quantity: number;
  /** ms */
  readonly lastPuffAt: number;
}

export interface PuffStore {
  ensureIndexes(): Promise<void>;
  /**
   * One unordered insert, acknowledged by a majority and journalled. Answers the positions that hit a taken key;
   * throws UnknownOutcome for anything less clear.
   */
  insert(puffs: readonly PuffToInsert[]): Promise<ReadonlySet<number>>;
  /** Takes numbers that are missing with empty records, so that nobody can get behind a reader. */
  fillHoles(person: string, revs: readonly number[]): Promise<void>;
  /** The log after `rev`, oldest first, at most `limit` records; majority read. */
  readAfter(person: string, rev: number, limit: number): Promise<LogRecord[]>;
  /** Which of these ids the person has used. */
  findUsedIds(person: string, ids: readonly string[]): Promise<ReadonlySet<string>>;
  find(person: string, id: string): Promise<RecordedPuff | undefined>;
  /** Newest first by (timestamp, rev). */
  list(
    person: string,
    range: { from?: number; to?: number; before?: PuffCursor; limit: number },
  ): Promise<RecordedPuff[]>;
  /**
   * Puffs of these people that happened in [from, to) and were received at most `lateAfterMs` later, added up by the
   * database. It reads the range of (person, timestamp, rev) of each, so its cost is that of what they took in it.
   */
  countByHour(
    people: readonly string[],
    range: { readonly from: number; readonly to: number; readonly lateAfterMs: number },
  ): Promise<PersonHour[]>;
  /** All live records of a person up to `rev`, added up by the database. */
  addUp(person: string, rev: number): Promise<RawSum[]>;
}

const idOf = (person: string, id: string) => `${person}:${id}`;

export const createPuffStore = (connection: Connection): PuffStore => {
  const model = connection.model('PuffRecord', puffRecordSchema);
  // The driver's own collection: Mongoose's casting costs more than the rest of the write together.
  const records: Collection<PuffRecordDoc> = model.collection as unknown as Collection<PuffRecordDoc>;

  const insertDocs = async (docs: PuffRecordDoc[]): Promise<ReadonlySet<number>> => {
    try {
      await records.insertMany(docs, { ordered: false });
      return new Set();
    } catch (error) {
      // Which of the two keys was taken is asked of the log afterwards; it answers for both.
      const taken = duplicateKeyPositions(error);
      if (!taken) throw new UnknownOutcome('the write has no clear outcome', { cause: error });
      return taken;
    }
  };

  return {
    async ensureIndexes() {
      await model.createCollection();
      await model.createIndexes();
    },
    insert: (puffs) => insertDocs(puffs.map(({ person, puff }) => toDoc(person, puff))),
    async fillHoles(person, revs) {
      await insertDocs(revs.map((rev) => ({ _id: idOf(person, `~${rev}`), person, rev, kind: 'empty' })));
    },
    async readAfter(person, rev, limit) {
      const docs = await records
        .find(
          { person, rev: { $gt: rev } },
          {
            projection: { _id: 0, rev: 1, kind: 1, timestamp: 1, wallDate: 1, wallHour: 1, quantity: 1 },
            sort: { rev: 1 },
            limit,
            maxTimeMS: 5_000,
          },
        )
        .toArray();
      return docs.map(toLogRecord);
    },
    async findUsedIds(person, ids) {
      const docs = await records
        .find(
          { _id: { $in: ids.map((id) => idOf(person, id)) } },
          { projection: { _id: 1 }, maxTimeMS: 5_000 },
        )
        .toArray();
      return new Set(docs.map((doc) => doc._id.slice(person.length + 1)));
    },
    async find(person, id) {
      const doc = await records.findOne({ _id: idOf(person, id) }, { maxTimeMS: 2_000 });
      return doc ? toPuff(doc) : undefined;
    },
    async list(person, { from, to, before, limit }) {
      const docs = await records
        .find(
          {
            person,
            kind: 'puff',
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
          { sort: { timestamp: -1, rev: -1 }, limit, maxTimeMS: 2_000 },
        )
        .toArray();
      return docs.map(toPuff);
    },
    async countByHour(people, { from, to, lateAfterMs }) {
      const sums = records.aggregate<{
        _id: Omit<PersonHour, 'puffs' | 'quantity'>;
        puffs: number;
        quantity: number;
      }>(
        [
          {
            $match: {
              person: { $in: [...people] },
              kind: 'puff',
              timestamp: { $gte: new Date(from), $lt: new Date(to) },
              $expr: { $lte: [{ $subtract: ['$receivedAt', '$timestamp'] }, lateAfterMs] },
            },
          },
          {
            $group: {
              _id: {
                person: '$person',
                product: '$product',
                hour: { $multiply: [{ $floor: { $divide: [{ $toLong: '$timestamp' }, hourMs] } }, hourMs] },
              },
              puffs: { $sum: 1 },
              quantity: { $sum: '$quantity' },
            },
          },
        ],
        { maxTimeMS: 60_000 },
      );
      return (await sums.toArray()).map(({ _id, puffs, quantity }) => ({ ..._id, puffs, quantity }));
    },
    async addUp(person, rev) {
      const sums = records.aggregate<{
        _id: { wallDate: string; wallHour: number };
        records: number;
        quantity: number;
        lastPuffAt: Date;
      }>(
        [
          { $match: { person, rev: { $lte: rev }, kind: 'puff' } },
          {
            $group: {
              _id: { wallDate: '$wallDate', wallHour: '$wallHour' },
              records: { $sum: 1 },
              quantity: { $sum: '$quantity' },
              lastPuffAt: { $max: '$timestamp' },
            },
          },
        ],
        { maxTimeMS: 60_000 },
      );
      return (await sums.toArray()).map(({ _id, lastPuffAt, ...sum }) => ({
        ...sum,
        wallDate: dayNumberOf(_id.wallDate),
        wallHour: _id.wallHour,
        lastPuffAt: lastPuffAt.getTime(),
      }));
    },
  };
};

const hourMs = 3_600_000;

const toDoc = (person: string, puff: RecordedPuff): PuffRecordDoc => ({
  _id: idOf(person, puff.id),
  person,
  rev: puff.rev,
  kind: 'puff',
  timestamp: new Date(puff.timestamp),
  timeZone: puff.timeZone,
  ...(puff.timeZoneInferred && { timeZoneInferred: true }),
  wallDate: dayOf(puff.wall.dayNumber),
  wallHour: puff.wall.hour,
  quantity: puff.quantity,
  product: puff.product,
  trigger: puff.trigger,
  deviceId: puff.deviceId,
  receivedAt: new Date(puff.receivedAt),
  sessionId: puff.sessionId,
});

const toLogRecord = (doc: PuffRecordDoc): LogRecord =>
  doc.kind === 'empty'
    ? { rev: doc.rev, kind: 'empty' }
    : {
        rev: doc.rev,
        kind: 'puff',
        timestamp: required(doc.timestamp).getTime(),
        wall: { dayNumber: dayNumberOf(required(doc.wallDate)), hour: required(doc.wallHour) },
        quantity: required(doc.quantity),
      };

const toPuff = (doc: PuffRecordDoc): RecordedPuff => ({
  id: doc._id.slice(doc.person.length + 1),
  rev: doc.rev,
  timestamp: required(doc.timestamp).getTime(),
  timeZone: required(doc.timeZone),
  timeZoneInferred: doc.timeZoneInferred === true,
  wall: { dayNumber: dayNumberOf(required(doc.wallDate)), hour: required(doc.wallHour) },
  quantity: required(doc.quantity),
  product: required(doc.product),
  trigger: doc.trigger ?? null,
  deviceId: doc.deviceId ?? null,
  receivedAt: required(doc.receivedAt).getTime(),
  sessionId: required(doc.sessionId),
});

const required = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('a puff record lacks a field that every puff has');
  return value;
};
