import type { Connection } from 'mongoose';
import type { LogRecord } from './log-record.ts';
import { logProjection, logRecordOf } from './puff-record-doc.ts';
import { puffRecordsOf } from './puff-store.ts';

/** Questions about the logs of many people, each one command whatever their number; majority reads. */
export interface ManyLogsStore {
  /** The newest number of each log, by two index keys for each at most; people without a record are left out. */
  newestRevs(people: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /**
   * What each log holds after a number, oldest first; people with nothing new have an empty list. Undefined where all
   * of it together is `limit` records or more: then it has to be read person by person.
   */
  readAfterEach(
    revs: ReadonlyMap<string, number>,
    limit: number,
  ): Promise<ReadonlyMap<string, readonly LogRecord[]> | undefined>;
}

const maxTimeMS = 5_000;
const byNumber = { person: 1, rev: 1 } as const;

export const createManyLogsStore = (connection: Connection): ManyLogsStore => {
  const records = puffRecordsOf(connection);
  return {
    async newestRevs(people) {
      if (people.length === 0) return new Map();
      // In this shape the server jumps from one person's last key to the next one's (DISTINCT_SCAN), and reads no
      // document; however far a log has grown since somebody looked, it costs the same.
      const newest = records.aggregate<{ _id: string; rev: number }>(
        [
          { $match: { person: { $in: [...people] } } },
          { $sort: { person: -1, rev: -1 } },
          { $group: { _id: '$person', rev: { $first: '$rev' } } },
        ],
        { hint: byNumber, maxTimeMS, batchSize: people.length + 1 },
      );
      return new Map((await newest.toArray()).map(({ _id, rev }) => [_id, rev]));
    },
    async readAfterEach(revs, limit) {
      const read = new Map<string, LogRecord[]>([...revs.keys()].map((person) => [person, []]));
      if (read.size === 0) return read;
      const docs = await records
        .find(
          { $or: [...revs].map(([person, rev]) => ({ person, rev: { $gt: rev } })) },
          {
            projection: { ...logProjection, person: 1 },
            sort: byNumber,
            hint: byNumber,
            limit,
            batchSize: limit + 1,
            maxTimeMS,
          },
        )
        .toArray();
      if (docs.length === limit) return undefined;
      for (const doc of docs) read.get(doc.person)?.push(logRecordOf(doc));
      return read;
    },
  };
};
