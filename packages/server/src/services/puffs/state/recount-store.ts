import type { ClientSession } from 'mongodb';
import type { Connection } from 'mongoose';
import { withReadBarrier } from '../../../platform/mongo/read-barrier.ts';
import { aggregateDays, type DayAggregate } from '../domain/day-aggregate.ts';
import { dayMs } from '../../../domain/durations.ts';
import { datesOfMonth, dayNumberOf, dayOf, type DayNumber } from '../../../domain/local-day.ts';
import type { ChangeRecord } from '../domain/log-record.ts';
import { restorePurgeMs } from '../domain/puff.ts';
import {
  datedProjection,
  datedPuffOf,
  recordIdOf,
  removedPuffOf,
  type PuffRecordDoc,
} from '../log/puff-record-doc.ts';
import { wallReachMs } from '../../../domain/phone-clock.ts';
import type { Moment } from '../domain/puff-history.ts';
import { foldLimit, type ReadLimit } from '../log/fold-limit.ts';
import type { Recount } from './puff-state.ts';
import { liveAbove, puffRecordsOf } from '../log/puff-store.ts';

/** The part of the log that is counted: records up to `rev`, above the last deletion of all. */
export interface Counting {
  readonly rev: number;
  readonly clearedRev: number;
  /** ms; the newest puff as the state knows it. */
  readonly lastPuffAt: number | null;
}

/** What the records say themselves, as changes leave them. */
export interface RecountStore {
  /**
   * Applies a change to its puff, and recounts its dates up to the change. In one causally consistent session: a
   * read that is older than the change, after the primary has moved, would miss what the state counts already.
   */
  applyChange(person: string, change: ChangeRecord, counting: Counting, limit?: ReadLimit): Promise<Recount>;
  /** The aggregates of a wall month. */
  countMonth(
    person: string,
    month: string,
    counting: Omit<Counting, 'lastPuffAt'>,
    limit?: ReadLimit,
  ): Promise<Map<DayNumber, DayAggregate>>;
  /** The live puffs between two instants (ms), both included, oldest first. */
  momentsBetween(
    person: string,
    range: { from: number; to: number },
    counting: Omit<Counting, 'lastPuffAt'>,
  ): Promise<Moment[]>;
}

interface SessionRead extends ReadLimit {
  readonly session: ClientSession;
}

/** Between which instants puffs of these wall dates lie, whatever their zones. */
const timesOf = ({ first, last }: { first: DayNumber; last: DayNumber }) => ({
  $gte: new Date(first * dayMs - wallReachMs),
  $lt: new Date((last + 1) * dayMs + wallReachMs),
});

export const createRecountStore = (connection: Connection): RecountStore => {
  const { collection: records } = puffRecordsOf(connection);

  /** The aggregates of the wall dates from `first` to `last`, of what stands there and of what was taken away. */
  const countDates = async (
    person: string,
    { first, last }: { first: DayNumber; last: DayNumber },
    { rev, clearedRev }: Omit<Counting, 'lastPuffAt'>,
    read: SessionRead,
  ): Promise<Map<DayNumber, DayAggregate>> => {
    const dates = { $gte: dayOf(first), $lte: dayOf(last) };
    const docs = await records
      .find(
        {
          person,
          rev: { $gt: clearedRev, $lte: rev },
          timestamp: timesOf({ first, last }),
          $or: [
            { kind: 'puff', wallDate: dates, deletedAt: { $exists: false } },
            { kind: 'change', 'before.wallDate': dates },
          ],
        },
        { projection: datedProjection, ...read },
      )
      .toArray();
    return aggregateDays(
      docs.flatMap((doc) => datedPuffOf(doc) ?? []),
      docs.flatMap((doc) => removedPuffOf(doc) ?? []),
    );
  };

  /** Sets the puff's newest values; over an older change only, so that any number of processes may apply it. */
  const apply = async (
    person: string,
    target: string,
    { rev, after, original }: PuffRecordDoc,
    session: ClientSession,
  ): Promise<void> => {
    const { deletedAt, ...values } = after ?? {};
    const _id = recordIdOf(person, target);
    await records.updateOne({ _id }, { $addToSet: { changeRevs: rev } }, { session });
    await records.updateOne(
      { _id, $or: [{ editRev: { $exists: false } }, { editRev: { $lt: rev } }] },
      {
        $set: {
          ...values,
          editRev: rev,
          ...(original && { original }),
          ...(deletedAt && { deletedAt, purgeAt: new Date(deletedAt.getTime() + restorePurgeMs) }),
        },
        ...(!deletedAt && { $unset: { deletedAt: '', purgeAt: '' } }),
      },
      { session },
    );
  };

  /**
   * Takes an earlier change of the same puff out of the counts of its date, where this one took as much or more from the
   * same hour: `lateRemovalsOf` says the same without it. So a date is counted at the same cost, however often its puffs change.
   * A count up to an earlier number misses it until it has folded this change too, which counts the date again.
   */
  const supersede = async (
    person: string,
    { rev, timestamp, target, before }: PuffRecordDoc,
    session: ClientSession,
  ): Promise<void> => {
    if (!timestamp || target === undefined || !before) return;
    const date = dayNumberOf(before.wallDate);
    await records.updateMany(
      {
        person,
        rev: { $lt: rev },
        timestamp: timesOf({ first: date, last: date }),
        kind: 'change',
        target,
        'before.wallDate': before.wallDate,
        'before.wallHour': before.wallHour,
        'before.quantity': { $lte: before.quantity },
      },
      { $unset: { timestamp: '' } },
      { session },
    );
  };

  /** The newest puff, where the change took away the one that was it. */
  const newestPuffAt = async (
    person: string,
    { before, after }: ChangeRecord,
    { rev, clearedRev, lastPuffAt }: Counting,
    read: SessionRead,
  ): Promise<number | null | undefined> => {
    if (before === null || before.timestamp !== lastPuffAt || after?.timestamp === lastPuffAt)
      return undefined;
    const newest = await records.findOne(
      { ...liveAbove(person, clearedRev), rev: { $gt: clearedRev, $lte: rev }, timestamp: { $type: 'date' } },
      { projection: { timestamp: 1 }, sort: { timestamp: -1 }, ...read },
    );
    return newest?.timestamp?.getTime() ?? null;
  };

  return {
    async applyChange(person, change, counting, limit = foldLimit) {
      const { rev, target, before, after } = change;
      const session = connection.getClient().startSession({ causalConsistency: true });
      try {
        const read = { session, ...limit };
        const entry = await records.findOne({ person, rev }, read);
        if (entry?.after) {
          await apply(person, target, entry, session);
          await supersede(person, entry, session);
        }
        const upTo = { ...counting, rev };
        const dates = new Map<DayNumber, DayAggregate>();
        for (const day of new Set([before, after].flatMap((each) => (each ? [each.wall.dayNumber] : []))))
          for (const [date, aggregate] of await countDates(person, { first: day, last: day }, upTo, read))
            dates.set(date, aggregate);
        return { dates, lastPuffAt: await newestPuffAt(person, change, upTo, read) };
      } finally {
        await session.endSession();
      }
    },
    // On an older past a month would lack what the state has counted.
    countMonth: (person, month, counting, limit = foldLimit) =>
      withReadBarrier(connection.getClient(), records, (session) =>
        countDates(person, datesOfMonth(month), counting, { session, ...limit }),
      ),
    async momentsBetween(person, { from, to }, { rev, clearedRev }) {
      const docs = await withReadBarrier(connection.getClient(), records, (session) =>
        records
          .find(
            {
              ...liveAbove(person, clearedRev),
              rev: { $gt: clearedRev, $lte: rev },
              timestamp: { $gte: new Date(from), $lte: new Date(to) },
            },
            { projection: datedProjection, sort: { timestamp: 1, rev: 1 }, session, ...foldLimit },
          )
          .toArray(),
      );
      return docs.flatMap((doc) => datedPuffOf(doc) ?? []);
    },
  };
};
