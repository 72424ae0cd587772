import type { AnyBulkWriteOperation, Collection } from 'mongodb';
import { Schema, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';
import { wholeListBatchSize } from '../../../platform/mongo/batch.ts';
import { backgroundLimit } from '../../../platform/mongo/time-limits.ts';
import { duplicateKeyPositions } from '../../../platform/mongo/errors.ts';
import type { DayAggregate } from '../domain/day-aggregate.ts';
import { foldLimit, type ReadLimit } from '../log/fold-limit.ts';
import type { DayNumber } from '../../../domain/local-day.ts';
import { monthDocOf, aggregatesOfMonthDoc, monthIdOf, type MonthDoc } from './month-doc.ts';
import { PuffState } from './puff-state.ts';

/**
 * A person's totals at `rev`, and the months that have had a puff, each with the number that changed it last. A month row at
 * that number or above holds everything of its month up to `rev`; an older one is as good as missing.
 */
interface PersonDoc {
  _id: string;
  rev: number;
  months: Record<string, number>;
  total: number;
  records: number;
  lastPuffAt: Date | null;
  clearedRev: number;
  clearedAt?: Date | null;
  strippedRev: number;
  /** How often content was removed from this person's log for good. */
  strips?: number;
}

/** What one flush writes for one person; a copy, so that the state may go on. */
export interface Checkpoint {
  readonly person: PersonDoc;
  readonly months: readonly MonthDoc[];
}

export interface MonthRow {
  readonly rev: number;
  readonly dates: Map<DayNumber, DayAggregate>;
}

export interface CheckpointStore {
  ensureIndexes(): Promise<void>;
  /** The totals as last written, without any month, to be brought up to date from the log; an empty state without any. */
  load(person: string, limit?: ReadLimit): Promise<PuffState>;
  /** The same for each of these people, in one query. */
  loadMany(people: readonly string[]): Promise<ReadonlyMap<string, PuffState>>;
  /** The rows of these months, those that there are and that say everything. */
  loadMonths(
    person: string,
    months: readonly string[],
    limit?: ReadLimit,
  ): Promise<ReadonlyMap<string, MonthRow>>;
  /** The same for many people, in one query; by person and month. */
  loadMonthsOfMany(
    months: ReadonlyMap<string, readonly string[]>,
    limit?: ReadLimit,
  ): Promise<ReadonlyMap<string, ReadonlyMap<string, MonthRow>>>;
  /** People whose state has been written, in the order of their ids, from `from` on. */
  listPeople(from: string, limit: number): Promise<string[]>;
  /** No row is written over a newer one. */
  writeMonths(checkpoints: readonly Checkpoint[]): Promise<void>;
  /** Only after `writeMonths` of the same checkpoints. */
  writePeople(checkpoints: readonly Checkpoint[]): Promise<void>;
  countStrips(person: string, limit?: ReadLimit): Promise<number>;
  /** Says that content is about to be removed; false where the row is not there, or is behind `rev`. */
  recordStrip(person: string, rev: number): Promise<boolean>;
  /**
   * Removes the rows that still say something of a puff deleted at `rev`: of its months those that counted it last, or
   * mark a date that lost something late. They are recounted when they are loaded.
   */
  dropMonthsOf(person: string, months: readonly string[], rev: number): Promise<void>;
  /** Removes the rows that say something of what a deletion of all at `rev` has hidden. */
  dropMonthsBefore(person: string, rev: number): Promise<void>;
  /**
   * Deletes the checkpoints of a person, the person row first; they are rebuilt from the log. Returns the number of rows.
   */
  drop(person: string): Promise<number>;
}

const monthSchema = new Schema<MonthDoc>({
  _id: { type: String, required: true },
  person: { type: String, required: true },
  month: { type: String, required: true },
  rev: { type: Number, required: true },
  days: { type: Schema.Types.Mixed, required: true },
  facts: Schema.Types.Mixed,
  factsRev: Number,
  trims: Schema.Types.Mixed,
  trimsRev: Number,
});
monthSchema.index({ person: 1 });

const personSchema = new Schema<PersonDoc>({
  _id: { type: String, required: true },
  rev: { type: Number, required: true },
  months: { type: Schema.Types.Mixed, required: true },
  total: { type: Number, required: true },
  records: { type: Number, required: true },
  lastPuffAt: Date,
  clearedRev: { type: Number, required: true },
  clearedAt: Date,
  strippedRev: { type: Number, required: true },
  strips: Number,
});

export const createCheckpointStore = (connection: Connection): CheckpointStore => {
  const { collection: months, ensureIndexes: ensureMonths } = collectionOf(
    connection,
    'puffmonths',
    monthSchema,
  );
  const { collection: people, ensureIndexes: ensurePeople } = collectionOf(
    connection,
    'puffpeople',
    personSchema,
  );

  const loadMonthsOfMany: CheckpointStore['loadMonthsOfMany'] = async (wanted, limit = foldLimit) => {
    const ids = [...wanted].flatMap(([person, names]) => names.map((name) => monthIdOf(person, name)));
    const rows = new Map<string, Map<string, MonthRow>>();
    if (ids.length === 0) return rows;
    for (const doc of await months
      .find({ _id: { $in: ids } }, { batchSize: wholeListBatchSize, ...limit })
      .toArray()) {
      const dates = aggregatesOfMonthDoc(doc);
      if (!dates) continue;
      const row = { rev: doc.rev, dates };
      const own = rows.get(doc.person);
      if (own) own.set(doc.month, row);
      else rows.set(doc.person, new Map([[doc.month, row]]));
    }
    return rows;
  };

  return {
    async ensureIndexes() {
      await ensureMonths();
      await ensurePeople();
    },
    async load(person, limit = foldLimit) {
      const doc = await people.findOne({ _id: person }, limit);
      return doc ? stateOf(doc) : new PuffState();
    },
    async loadMany(persons) {
      if (persons.length === 0) return new Map();
      const docs = await people
        .find({ _id: { $in: [...persons] } }, { batchSize: wholeListBatchSize, ...foldLimit })
        .toArray();
      const states = new Map(docs.map((doc) => [doc._id, stateOf(doc)]));
      return new Map(persons.map((person) => [person, states.get(person) ?? new PuffState()]));
    },
    loadMonths: async (person, names, limit) =>
      (await loadMonthsOfMany(new Map([[person, names]]), limit)).get(person) ?? new Map<string, MonthRow>(),
    loadMonthsOfMany,
    async listPeople(from, limit) {
      const docs = await people
        .find(
          { _id: { $gte: from } },
          { projection: { _id: 1 }, sort: { _id: 1 }, limit, ...backgroundLimit },
        )
        .toArray();
      return docs.map(({ _id }) => _id);
    },
    writeMonths: (checkpoints) =>
      writeOver(
        months,
        '$lte',
        checkpoints.flatMap((checkpoint) => checkpoint.months),
      ),
    writePeople: (checkpoints) =>
      writeOver(
        people,
        '$lt',
        checkpoints.map((checkpoint) => checkpoint.person),
      ),
    async countStrips(person, limit = foldLimit) {
      const doc = await people.findOne({ _id: person }, { projection: { strips: 1 }, ...limit });
      return doc?.strips ?? 0;
    },
    async recordStrip(person, rev) {
      const { matchedCount } = await people.updateOne(
        { _id: person, rev: { $gte: rev } },
        { $inc: { strips: 1 } },
      );
      return matchedCount === 1;
    },
    async dropMonthsOf(person, names, rev) {
      await months.deleteMany({
        _id: { $in: names.map((name) => monthIdOf(person, name)) },
        $or: [{ rev: { $lt: rev } }, { trims: { $exists: true, $ne: {} } }],
      });
    },
    async dropMonthsBefore(person, rev) {
      await months.deleteMany({ person, rev: { $lt: rev } });
    },
    async drop(person) {
      const { deletedCount: row } = await people.deleteOne({ _id: person });
      const { deletedCount: rows } = await months.deleteMany({ person });
      return row + rows;
    },
  };
};

/**
 * Upserts each row over an older one, or with `$lte` over one of the same number too: that may know less, where an older
 * program wrote it. Over a newer one the upsert is a duplicate key, which is fine.
 */
const writeOver = async <Doc extends { _id: string; rev: number }>(
  collection: Collection<Doc>,
  overRev: '$lt' | '$lte',
  docs: readonly Doc[],
): Promise<void> => {
  if (docs.length === 0) return;
  const operations = docs.map(({ _id, ...fields }) => ({
    updateOne: { filter: { _id, rev: { [overRev]: fields.rev } }, update: { $set: fields }, upsert: true },
  })) as unknown as AnyBulkWriteOperation<Doc>[];
  try {
    await collection.bulkWrite(operations, { ordered: false });
  } catch (error) {
    if (!duplicateKeyPositions(error)) throw error;
  }
};

/** Copies what a flush has to write, and marks it written; `markDirty` undoes that where the write fails. */
export const takeCheckpoint = (person: string, state: PuffState): Checkpoint => {
  const months = [...state.dirtyMonths].flatMap((month): MonthDoc[] => {
    const loaded = state.loadedMonth(month);
    return loaded ? [monthDocOf({ person, month, rev: loaded.countedUpTo }, loaded.dates)] : [];
  });
  state.dirtyMonths.clear();
  state.dirty = false;
  return {
    person: {
      _id: person,
      rev: state.rev,
      months: Object.fromEntries(state.months),
      total: state.total,
      records: state.records,
      lastPuffAt: state.lastPuffAt === null ? null : new Date(state.lastPuffAt),
      clearedRev: state.clearedRev,
      clearedAt: state.clearedAt === null ? null : new Date(state.clearedAt),
      strippedRev: state.strippedRev,
    },
    months,
  };
};

export const markDirty = (state: PuffState, checkpoint: Checkpoint): void => {
  state.dirty = true;
  for (const { month } of checkpoint.months) if (state.months.has(month)) state.dirtyMonths.add(month);
};

const stateOf = (doc: PersonDoc): PuffState => {
  const state = new PuffState();
  state.rev = doc.rev;
  state.total = doc.total;
  state.records = doc.records;
  state.lastPuffAt = doc.lastPuffAt?.getTime() ?? null;
  state.clearedRev = doc.clearedRev;
  state.clearedAt = doc.clearedAt?.getTime() ?? null;
  state.strippedRev = doc.strippedRev;
  for (const [month, rev] of Object.entries(doc.months)) state.months.set(month, rev);
  return state;
};
