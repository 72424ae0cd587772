import type { Connection } from 'mongoose';
import { backgroundLimit } from '../../../platform/mongo/time-limits.ts';
import { recordIdOf, type PuffRecordDoc } from '../log/puff-record-doc.ts';
import { puffRecordsOf } from '../log/puff-store.ts';

/** A deletion whose content is due to go for good. */
export interface DuePurge {
  readonly person: string;
  /** The number of the deletion: a state that has folded it does not need the content. */
  readonly rev: number;
  /** The deleted puff's id; undefined: everything before `rev`. */
  readonly id: string | undefined;
}

export interface PurgeStore {
  /** At most `limit` of what is due at `now` (ms), oldest first. */
  findDue(now: number, limit: number): Promise<DuePurge[]>;
  /** The wall months (`YYYY-MM`) in which the puff has ever stood, by its content and that of its changes. */
  monthsOf(person: string, id: string): Promise<string[]>;
  /** Leaves of a deleted puff, and of every change of it, nothing but ids and numbers. */
  stripPuff(person: string, id: string, rev: number): Promise<void>;
  /** The same for everything before a deletion of all, in pages; may be cut off and run again. */
  stripBefore(person: string, rev: number): Promise<void>;
}

const content = {
  timestamp: '',
  timeZone: '',
  timeZoneInferred: '',
  wallDate: '',
  wallHour: '',
  quantity: '',
  product: '',
  trigger: '',
  deviceId: '',
  receivedAt: '',
  sessionId: '',
  deletedAt: '',
  cameLate: '',
  original: '',
  before: '',
  after: '',
  at: '',
  purgeAt: '',
  changeRevs: '',
} as const satisfies Partial<Record<keyof PuffRecordDoc, ''>>;

const pageSize = 1_000;

export const createPurgeStore = (connection: Connection): PurgeStore => {
  const { collection: records } = puffRecordsOf(connection);
  const strip = (person: string, revs: readonly number[]) =>
    records.updateMany({ person, rev: { $in: [...revs] } }, { $unset: content }, backgroundLimit);

  return {
    async findDue(now, limit) {
      const docs = await records
        .find({ purgeAt: { $lte: new Date(now) } }, { sort: { purgeAt: 1 }, limit, ...backgroundLimit })
        .toArray();
      return docs.map(({ _id, person, kind, rev, editRev }) => ({
        person,
        rev: editRev ?? rev,
        id: kind === 'clear' ? undefined : _id.slice(person.length + 1),
      }));
    },
    async monthsOf(person, id) {
      const doc = await records.findOne({ _id: recordIdOf(person, id) }, backgroundLimit);
      const changes = await records
        .find({ person, rev: { $in: doc?.changeRevs ?? [] } }, backgroundLimit)
        .toArray();
      const dates = [doc, doc?.original, ...changes.flatMap(({ before, after }) => [before, after])];
      return [
        ...new Set(
          dates.flatMap((each) => (each?.wallDate === undefined ? [] : [each.wallDate.slice(0, 7)])),
        ),
      ];
    },
    async stripPuff(person, id, rev) {
      const _id = recordIdOf(person, id);
      const doc = await records.findOne(
        { _id, editRev: rev },
        { projection: { changeRevs: 1 }, ...backgroundLimit },
      );
      if (!doc) return; // restored meanwhile
      // The puff last: as long as it is due, the next run finds its changes.
      await strip(person, doc.changeRevs ?? []);
      await records.updateOne({ _id, editRev: rev, purgeAt: { $exists: true } }, { $unset: content });
    },
    async stripBefore(person, rev) {
      for (let above = 0; ;) {
        const page = await records
          .find(
            { person, rev: { $gt: above, $lt: rev } },
            { projection: { rev: 1 }, sort: { rev: 1 }, limit: pageSize, ...backgroundLimit },
          )
          .toArray();
        if (page.length === 0) break;
        await strip(
          person,
          page.map((doc) => doc.rev),
        );
        above = page.at(-1)?.rev ?? rev;
      }
      await records.updateOne({ person, rev, kind: 'clear' }, { $unset: { purgeAt: '' } });
    },
  };
};
