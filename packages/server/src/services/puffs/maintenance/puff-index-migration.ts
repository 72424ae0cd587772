import type { Connection } from 'mongoose';
import { replaceIndex } from '../../../platform/mongo/replace-index.ts';

/** Puffs are listed by (timestamp, rev): without `rev` in it, each page sorts all that the person ever recorded. */
export const orderPuffIndex = (connection: Connection): Promise<void> =>
  replaceIndex(connection, {
    collection: 'puffrecords',
    made: { person: 1, timestamp: 1, rev: 1 },
    dropped: 'person_1_timestamp_1',
  });
