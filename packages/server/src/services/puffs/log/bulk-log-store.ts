import type { Connection } from 'mongoose';
import { groupBy } from '../../../platform/group-by.ts';
import { wholeListBatchSize } from '../../../platform/mongo/batch.ts';
import { foldLimit } from './fold-limit.ts';
import type { LogRecord } from '../domain/log-record.ts';
import { logProjection, logRecordOf } from './puff-record-doc.ts';
import { puffRecordsOf } from './puff-store.ts';

/** Numbers above `after`, up to and with `upTo`. */
export interface RevRange {
  readonly after: number;
  readonly upTo: number;
}

/** Queries on the logs of many people, each one command whatever their number; majority reads. */
export interface BulkLogStore {
  /** The newest number of each log, by two index keys for each at most; people without a record are left out. */
  newestRevs(people: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** What each log holds in a range of numbers, oldest first; people of whom it holds nothing there are left out. */
  readRanges(ranges: ReadonlyMap<string, RevRange>): Promise<ReadonlyMap<string, readonly LogRecord[]>>;
}

const byNumber = { person: 1, rev: 1 } as const;

export const createBulkLogStore = (connection: Connection): BulkLogStore => {
  const { collection: records } = puffRecordsOf(connection);
  return {
    async newestRevs(people) {
      if (people.length === 0) return new Map();
      // In this shape the server jumps from one person's last key to the next one's (DISTINCT_SCAN), and reads no
      // document; its cost does not depend on how far a log has grown.
      const newest = records.aggregate<{ _id: string; rev: number }>(
        [
          { $match: { person: { $in: [...people] } } },
          { $sort: { person: -1, rev: -1 } },
          { $group: { _id: '$person', rev: { $first: '$rev' } } },
        ],
        { hint: byNumber, batchSize: wholeListBatchSize },
      );
      return new Map((await newest.toArray()).map(({ _id, rev }) => [_id, rev]));
    },
    async readRanges(ranges) {
      if (ranges.size === 0) return new Map();
      const docs = await records
        .find(
          {
            $or: [...ranges].map(([person, { after, upTo }]) => ({
              person,
              rev: { $gt: after, $lte: upTo },
            })),
          },
          {
            projection: { ...logProjection, person: 1 },
            sort: byNumber,
            hint: byNumber,
            batchSize: wholeListBatchSize,
            ...foldLimit,
          },
        )
        .toArray();
      return groupBy(docs, ({ person }) => person, logRecordOf);
    },
  };
};
