import type { Connection } from 'mongoose';
import { puffRecordsOf } from './puff-store.ts';

export interface EraseStore {
  /** Deletes the whole log of a person; answers how many records there were. May be cut off and run again. */
  removeLog(person: string): Promise<number>;
}

const defaultPageSize = 5_000;

export const createEraseStore = (connection: Connection, pageSize = defaultPageSize): EraseStore => {
  const { collection: records } = puffRecordsOf(connection);
  return {
    async removeLog(person) {
      // From the highest number down: a concurrent reader sees a shorter log, and no sequence gap to fill.
      for (let removed = 0; ;) {
        const page = await records
          .find({ person }, { projection: { _id: 0, rev: 1 }, sort: { rev: -1 }, limit: pageSize })
          .toArray();
        const lowest = page.at(-1)?.rev;
        if (lowest === undefined) return removed;
        const { deletedCount } = await records.deleteMany({ person, rev: { $gte: lowest } });
        removed += deletedCount;
      }
    },
  };
};
