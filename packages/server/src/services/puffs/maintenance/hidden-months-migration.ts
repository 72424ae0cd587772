import type { Connection } from 'mongoose';
import { backgroundLimit, scanLimit } from '../../../platform/mongo/time-limits.ts';

interface PersonRow {
  _id: string;
  clearedRev: number;
}

/**
 * Rows of months that a deletion of all has hidden: the purge of a version before left them. No read uses one whose `rev` is
 * below that of the deletion, so this may run beside a version that makes new ones. Throws where `signal` aborts.
 */
export const dropHiddenMonths = async (connection: Connection, signal: AbortSignal): Promise<void> => {
  const cleared = connection
    .collection<PersonRow>('puffpeople')
    .find({ clearedRev: { $gt: 0 } }, { projection: { clearedRev: 1 }, ...scanLimit });
  for await (const { _id: person, clearedRev } of cleared) {
    signal.throwIfAborted();
    await connection
      .collection('puffmonths')
      .deleteMany({ person, rev: { $lt: clearedRev } }, backgroundLimit);
  }
};
