import { Schema } from 'mongoose';
import type { DatedPuff, RemovedPuff } from '../domain/day-aggregate.ts';
import { dayNumberOf, dayOf } from '../../../domain/local-day.ts';
import type { CountedPuff, LogRecord } from '../domain/log-record.ts';
import { removesLate } from '../domain/late-removals.ts';
import { isBackdated, type PuffValues, type RecordedPuff, type StoredPuff } from '../domain/puff.ts';

/** The values of a puff as they lie in the database. */
export interface ValuesDoc {
  timestamp: Date;
  timeZone: string;
  timeZoneInferred?: boolean;
  wallDate: string;
  wallHour: number;
  quantity: number;
  product: 'vape' | 'cigarette';
  trigger: string | null;
}

export type VersionDoc = ValuesDoc & { deletedAt?: Date; cameLate?: boolean };

type CountedDoc = Pick<ValuesDoc, 'timestamp' | 'wallDate' | 'wallHour' | 'quantity'>;

/**
 * A document of the log (docs/architecture.md). A puff's own fields are its newest values, which lists and counts of a
 * date read; `original` keeps what the fold counts at the puff's own number, once a change has moved them. The content
 * of a record has been removed where it has no `wallDate` (a puff), or no `before` (a change).
 */
export interface PuffRecordDoc extends Partial<ValuesDoc> {
  /** (person, client id): the same id again is a duplicate key on that very record. */
  _id: string;
  person: string;
  /**
   * Of a change, only where it took something from its day late (`removesLate`): when that happened. So a count of the date
   * finds it beside the puffs, until a later change of the same puff says as much (`supersede`, recount-store.ts).
   */
  timestamp?: Date;
  /** The person's own number, from 1, without gaps once a reader has passed. */
  rev: number;
  kind: 'puff' | 'empty' | 'change' | 'clear';
  deviceId?: string | null;
  receivedAt?: Date;
  sessionId?: string;
  /** The number of the newest change that was applied. */
  editRev?: number;
  /** The numbers of all its changes: where its content lies, besides here. */
  changeRevs?: number[];
  deletedAt?: Date;
  /** Whether it came to its day late, once a change has said so; until then its receipt says it. */
  cameLate?: boolean;
  original?: CountedDoc;
  /** Of a change: the client id of its puff, and the puff before and after it. */
  target?: string;
  before?: VersionDoc;
  after?: VersionDoc;
  /** Of a change or a clear: when it was made. */
  at?: Date;
  /** When the content has to go for good; set while the puff is deleted, and on a clear. */
  purgeAt?: Date;
}

const values = {
  timestamp: Date,
  timeZone: String,
  timeZoneInferred: Boolean,
  wallDate: String,
  wallHour: Number,
  quantity: Number,
  product: String,
  trigger: String,
};

export const puffRecordSchema = new Schema<PuffRecordDoc>({
  _id: { type: String, required: true },
  person: { type: String, required: true },
  rev: { type: Number, required: true },
  kind: { type: String, enum: ['puff', 'empty', 'change', 'clear'], required: true },
  ...values,
  deviceId: String,
  receivedAt: Date,
  sessionId: String,
  editRev: Number,
  changeRevs: { type: [Number], default: undefined },
  deletedAt: Date,
  cameLate: Boolean,
  original: { _id: false, timestamp: Date, wallDate: String, wallHour: Number, quantity: Number },
  target: String,
  before: { _id: false, ...values, deletedAt: Date, cameLate: Boolean },
  after: { _id: false, ...values, deletedAt: Date, cameLate: Boolean },
  at: Date,
  purgeAt: Date,
});
puffRecordSchema.index({ person: 1, rev: 1 }, { unique: true });
puffRecordSchema.index({ person: 1, timestamp: 1, rev: 1 });
// Holds only what waits for its removal, so it costs a puff nothing.
puffRecordSchema.index({ purgeAt: 1 }, { partialFilterExpression: { purgeAt: { $exists: true } } });

export const recordIdOf = (person: string, id: string): string => `${person}:${id}`;
const clientIdOf = (doc: PuffRecordDoc): string => doc._id.slice(doc.person.length + 1);

export const valuesDocOf = (puff: PuffValues): ValuesDoc => ({
  timestamp: new Date(puff.timestamp),
  timeZone: puff.timeZone,
  ...(puff.timeZoneInferred && { timeZoneInferred: true }),
  wallDate: dayOf(puff.wall.dayNumber),
  wallHour: puff.wall.hour,
  quantity: puff.quantity,
  product: puff.product,
  trigger: puff.trigger,
});

export const countedDocOf = ({ timestamp, wall, quantity }: CountedPuff): CountedDoc => ({
  timestamp: new Date(timestamp),
  wallDate: dayOf(wall.dayNumber),
  wallHour: wall.hour,
  quantity,
});

export const docOfPuff = (person: string, puff: RecordedPuff): PuffRecordDoc => ({
  _id: recordIdOf(person, puff.id),
  person,
  rev: puff.rev,
  kind: 'puff',
  ...valuesDocOf(puff),
  deviceId: puff.deviceId,
  receivedAt: new Date(puff.receivedAt),
  sessionId: puff.sessionId,
});

/** An edit, deletion or restore before its insert: the whole puff before and after it. */
export interface NewLogEntry {
  readonly id: string;
  readonly target: string;
  readonly original: CountedPuff;
  readonly before: Version;
  readonly after: Version;
  readonly at: number;
}

/** A puff at one moment, as in `StoredPuff`. */
export interface Version {
  readonly values: PuffValues;
  readonly deletedAt: number | null;
  readonly cameLate: boolean;
}

export const docOfChange = (person: string, rev: number, change: NewLogEntry): PuffRecordDoc => ({
  _id: recordIdOf(person, change.id),
  person,
  rev,
  kind: 'change',
  target: change.target,
  ...(removesLate(liveValuesOf(change.before), liveValuesOf(change.after), change.at) && {
    timestamp: new Date(change.before.values.timestamp),
  }),
  original: countedDocOf(change.original),
  before: versionDocOf(change.before),
  after: versionDocOf(change.after),
  at: new Date(change.at),
});

const versionDocOf = ({ values, deletedAt, cameLate }: Version): VersionDoc => ({
  ...valuesDocOf(values),
  ...(deletedAt !== null && { deletedAt: new Date(deletedAt) }),
  cameLate,
});

const liveValuesOf = ({ values, deletedAt }: Version): PuffValues | null =>
  deletedAt === null ? values : null;

const countedOf = (doc: CountedDoc): CountedPuff => ({
  timestamp: doc.timestamp.getTime(),
  wall: { dayNumber: dayNumberOf(doc.wallDate), hour: doc.wallHour },
  quantity: doc.quantity,
});

const liveOf = (doc: PuffRecordDoc['before']): CountedPuff | null =>
  doc === undefined || doc.deletedAt ? null : countedOf(doc);

export const logRecordOf = (doc: PuffRecordDoc): LogRecord => {
  const { rev, kind } = doc;
  if (kind === 'clear') return { rev, kind, at: doc.at?.getTime() ?? 0 };
  if (kind === 'empty') return { rev, kind };
  if (kind === 'change')
    return doc.target === undefined || doc.before === undefined
      ? { rev, kind: 'stripped' }
      : { rev, kind, target: doc.target, before: liveOf(doc.before), after: liveOf(doc.after) };
  if (!hasContent(doc)) return { rev, kind: 'empty' };
  return { rev, kind, counted: countedOf(doc.original ?? doc), receivedAt: doc.receivedAt.getTime() };
};

type WithContent = PuffRecordDoc & ValuesDoc & { receivedAt: Date; sessionId: string };

const hasContent = (doc: PuffRecordDoc): doc is WithContent =>
  doc.wallDate !== undefined && doc.receivedAt !== undefined;

const cameLateOf = ({ cameLate, timestamp, receivedAt }: WithContent): boolean =>
  cameLate ?? isBackdated(timestamp.getTime(), receivedAt.getTime());

/** Input of a day aggregate; undefined for a record that is no live puff, or has no content any more. */
export const datedPuffOf = (doc: PuffRecordDoc): DatedPuff | undefined =>
  hasContent(doc) && !doc.deletedAt
    ? { ...countedOf(doc), id: clientIdOf(doc), cameLate: cameLateOf(doc) }
    : undefined;

/** What a change took late from where it stood; undefined for what is no such change. */
export const removedPuffOf = ({ kind, target, before }: PuffRecordDoc): RemovedPuff | undefined =>
  kind === 'change' && target !== undefined && before ? { ...countedOf(before), target } : undefined;

/** The fields that `datedPuffOf` and `removedPuffOf` read. */
export const datedProjection = {
  person: 1,
  kind: 1,
  timestamp: 1,
  wallDate: 1,
  wallHour: 1,
  quantity: 1,
  receivedAt: 1,
  deletedAt: 1,
  cameLate: 1,
  target: 1,
  before: 1,
} as const;

/** The fields that `logRecordOf` reads. */
export const logProjection = {
  _id: 0,
  rev: 1,
  kind: 1,
  timestamp: 1,
  wallDate: 1,
  wallHour: 1,
  quantity: 1,
  receivedAt: 1,
  original: 1,
  target: 1,
  before: 1,
  after: 1,
  at: 1,
} as const;

/** A puff with its newest values. */
export const storedPuffOf = (doc: PuffRecordDoc): StoredPuff => {
  const own = {
    id: clientIdOf(doc),
    firstRev: doc.rev,
    latestRev: doc.editRev ?? doc.rev,
    changes: doc.changeRevs?.length ?? 0,
  };
  if (!hasContent(doc)) return { ...own, content: undefined };
  return {
    ...own,
    content: {
      deletedAt: doc.deletedAt?.getTime() ?? null,
      cameLate: cameLateOf(doc),
      original: countedOf(doc.original ?? doc),
      puff: {
        id: own.id,
        rev: own.latestRev,
        ...countedOf(doc),
        timeZone: doc.timeZone,
        timeZoneInferred: doc.timeZoneInferred === true,
        product: doc.product,
        trigger: doc.trigger,
        deviceId: doc.deviceId ?? null,
        receivedAt: doc.receivedAt.getTime(),
        sessionId: doc.sessionId,
      },
    },
  };
};
