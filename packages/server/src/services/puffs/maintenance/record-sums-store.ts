import type { Connection } from 'mongoose';
import { backgroundLimit } from '../../../platform/mongo/time-limits.ts';
import { dayNumberOf, type DayNumber } from '../../../domain/local-day.ts';
import { liveAbove, puffRecordsOf } from '../log/puff-store.ts';

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

/** Sums that the database adds up over raw records; for jobs alone. */
export interface RecordSumsStore {
  /**
   * Live puffs of these people that happened in [from, to) and were received at most `lateAfterMs` later. It reads the
   * range of (person, timestamp, rev) of each, so its cost is that of what they took in it.
   */
  countByHour(
    people: readonly string[],
    range: { readonly from: number; readonly to: number; readonly lateAfterMs: number },
  ): Promise<PersonHour[]>;
  /** All live records of a person up to `rev`, above the last deletion of all. */
  addUp(person: string, log: { readonly rev: number; readonly clearedRev: number }): Promise<RawSum[]>;
}

const hourMs = 3_600_000;

export const createRecordSumsStore = (connection: Connection): RecordSumsStore => {
  const { collection: records } = puffRecordsOf(connection);
  return {
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
              deletedAt: { $exists: false },
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
        backgroundLimit,
      );
      return (await sums.toArray()).map(({ _id, puffs, quantity }) => ({ ..._id, puffs, quantity }));
    },
    async addUp(person, { rev, clearedRev }) {
      const sums = records.aggregate<{
        _id: { wallDate: string; wallHour: number };
        records: number;
        quantity: number;
        lastPuffAt: Date;
      }>(
        [
          { $match: { ...liveAbove(person, clearedRev), rev: { $gt: clearedRev, $lte: rev } } },
          {
            $group: {
              _id: { wallDate: '$wallDate', wallHour: '$wallHour' },
              records: { $sum: 1 },
              quantity: { $sum: '$quantity' },
              lastPuffAt: { $max: '$timestamp' },
            },
          },
        ],
        backgroundLimit,
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
