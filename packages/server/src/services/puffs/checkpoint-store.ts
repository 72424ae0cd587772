import type { AnyBulkWriteOperation, Collection } from 'mongodb';
import { Schema, type Connection } from 'mongoose';
import { duplicateKeyPositions } from '../../platform/mongo/errors.ts';
import { dayNumberOf, dayOf, monthOf, type DayNumber } from './local-day.ts';
import { PuffState } from './puff-state.ts';

/** Sums of one wall month: day of the month (`01`..`31`) to 24 hour sums. Everything up to `rev` is in it. */
interface MonthDoc {
  _id: string;
  person: string;
  month: string;
  rev: number;
  days: Record<string, number[]>;
}

/** Written after its months: every month it names holds everything of that month up to `rev`, perhaps more. */
interface PersonDoc {
  _id: string;
  rev: number;
  months: string[];
  total: number;
  records: number;
  lastPuffAt: Date | null;
}

/** What one flush writes for one person; a copy, so that the state may go on. */
export interface Checkpoint {
  readonly person: PersonDoc;
  readonly months: readonly MonthDoc[];
}

export interface CheckpointStore {
  ensureIndexes(): Promise<void>;
  /** The state as last written, to be brought up to date from the log; an empty state where there is none. */
  load(person: string): Promise<PuffState>;
  /** People whose state has been written, in the order of their ids, from `from` on. */
  listPeople(from: string, limit: number): Promise<string[]>;
  /** Rows are written only over older ones. */
  writeMonths(checkpoints: readonly Checkpoint[]): Promise<void>;
  /** Only after `writeMonths` of the same checkpoints. */
  writePeople(checkpoints: readonly Checkpoint[]): Promise<void>;
  /** Forgets everything of a person, the person row first; it is rebuilt from the log. */
  drop(person: string): Promise<void>;
}

const monthSchema = new Schema<MonthDoc>(
  {
    _id: { type: String, required: true },
    person: { type: String, required: true },
    month: { type: String, required: true },
    rev: { type: Number, required: true },
    days: { type: Schema.Types.Mixed, required: true },
  },
  { collection: 'puffmonths', versionKey: false },
);
monthSchema.index({ person: 1 });

const personSchema = new Schema<PersonDoc>(
  {
    _id: { type: String, required: true },
    rev: { type: Number, required: true },
    months: [String],
    total: { type: Number, required: true },
    records: { type: Number, required: true },
    lastPuffAt: Date,
  },
  { collection: 'puffpeople', versionKey: false },
);

export const createCheckpointStore = (connection: Connection): CheckpointStore => {
  const monthModel = connection.model('PuffMonth', monthSchema);
  const personModel = connection.model('PuffPerson', personSchema);
  const months = monthModel.collection as unknown as Collection<MonthDoc>;
  const people = personModel.collection as unknown as Collection<PersonDoc>;

  return {
    async ensureIndexes() {
      await monthModel.createCollection();
      await personModel.createCollection();
      await monthModel.createIndexes();
    },
    async load(person) {
      // The person row first: months read after it can only be newer.
      const personDoc = await people.findOne({ _id: person });
      if (!personDoc) return new PuffState();
      const monthDocs = await months.find({ person }).toArray();
      return restore(personDoc, monthDocs) ?? new PuffState();
    },
    async listPeople(from, limit) {
      const docs = await people
        .find({ _id: { $gte: from } }, { projection: { _id: 1 }, sort: { _id: 1 }, limit })
        .toArray();
      return docs.map(({ _id }) => _id);
    },
    writeMonths: (checkpoints) =>
      writeNewer(
        months,
        checkpoints.flatMap((checkpoint) => checkpoint.months),
      ),
    writePeople: (checkpoints) =>
      writeNewer(
        people,
        checkpoints.map((checkpoint) => checkpoint.person),
      ),
    async drop(person) {
      await people.deleteOne({ _id: person });
      await months.deleteMany({ person });
    },
  };
};

/** Upserts each row over an older one; a row that is newer already makes the upsert a duplicate key, which is fine. */
const writeNewer = async <Doc extends { _id: string; rev: number }>(
  collection: Collection<Doc>,
  docs: readonly Doc[],
): Promise<void> => {
  if (docs.length === 0) return;
  const operations = docs.map(({ _id, ...fields }) => ({
    updateOne: { filter: { _id, rev: { $lt: fields.rev } }, update: { $set: fields }, upsert: true },
  })) as unknown as AnyBulkWriteOperation<Doc>[];
  try {
    await collection.bulkWrite(operations, { ordered: false });
  } catch (error) {
    if (!duplicateKeyPositions(error)) throw error;
  }
};

/** Copies what a flush has to write, and marks it written; `remark` undoes that where the write fails. */
export const takeCheckpoint = (personId: string, state: PuffState): Checkpoint => {
  const dirtyMonths = [...state.dirtyMonths];
  state.dirtyMonths.clear();
  state.dirty = false;
  return {
    person: {
      _id: personId,
      rev: state.rev,
      months: [...state.months],
      total: state.total,
      records: state.records,
      lastPuffAt: state.lastPuffAt === null ? null : new Date(state.lastPuffAt),
    },
    months: dirtyMonths.map((month) => ({
      _id: `${personId}:${month}`,
      person: personId,
      month,
      rev: Math.max(state.rev, state.countedIn.get(month) ?? 0),
      days: daysOfMonth(state, month),
    })),
  };
};

export const remark = (state: PuffState, checkpoint: Checkpoint): void => {
  state.dirty = true;
  for (const { month } of checkpoint.months) state.dirtyMonths.add(month);
};

const daysOfMonth = (state: PuffState, month: string): Record<string, number[]> => {
  const days: Record<string, number[]> = {};
  const first: DayNumber = dayNumberOf(`${month}-01`);
  for (let day = first; day < first + 31; day++) {
    const hours = state.days.get(day);
    if (hours && monthOf(day) === month) days[dayOf(day).slice(8)] = [...hours];
  }
  return days;
};

/** Undefined where a named month is missing: then only the log can tell. */
const restore = (personDoc: PersonDoc, monthDocs: readonly MonthDoc[]): PuffState | undefined => {
  const state = new PuffState();
  const found = new Map(monthDocs.map((doc) => [doc.month, doc]));
  if (personDoc.months.some((month) => !found.has(month))) return undefined;
  state.rev = personDoc.rev;
  state.total = personDoc.total;
  state.records = personDoc.records;
  state.lastPuffAt = personDoc.lastPuffAt?.getTime() ?? null;
  for (const doc of monthDocs) {
    state.months.add(doc.month);
    state.countedIn.set(doc.month, doc.rev);
    for (const [day, hours] of Object.entries(doc.days))
      state.days.set(dayNumberOf(`${doc.month}-${day}`), [...hours]);
  }
  return state;
};
