import type { Connection } from 'mongoose';
import { scanLimit } from '../../../platform/mongo/time-limits.ts';

const dayMs = 86_400_000;

/**
 * Changes that took something from its day late (`removesLate`, late-removals.ts) say when that happened, so that a count of the date
 * finds them. Sought by the index of times, in which each person's changes without one stand apart from the puffs.
 */
export const dateLateEntries = async (connection: Connection): Promise<void> => {
  await connection.collection('puffrecords').updateMany(
    {
      // All people: with a bound on the person the index is skipped through, one step for each, and no puff is read.
      person: { $gt: '' },
      timestamp: null,
      kind: 'change',
      before: { $exists: true },
      'before.deletedAt': { $exists: false },
      $expr: {
        $and: [
          { $gt: [{ $subtract: ['$at', '$before.timestamp'] }, dayMs] },
          {
            $or: [
              { $gt: ['$after.deletedAt', null] },
              { $ne: ['$after.wallDate', '$before.wallDate'] },
              { $ne: ['$after.wallHour', '$before.wallHour'] },
              { $lt: ['$after.quantity', '$before.quantity'] },
            ],
          },
        ],
      },
    },
    [{ $set: { timestamp: '$before.timestamp' } }],
    { hint: 'person_1_timestamp_1_rev_1', maxTimeMS: scanLimit.maxTimeMS },
  );
};
