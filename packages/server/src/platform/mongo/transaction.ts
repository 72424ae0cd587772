import type { ClientSession, Connection } from 'mongoose';
import { withDeadline } from '../concurrency/deadline.ts';
import { isDuplicateKey } from './errors.ts';
import { writeLimitMs } from './time-limits.ts';

const mayTakeMs = 8_000;
const duplicateAttempts = 5;

/**
 * Runs `work` in one transaction, from its beginning as often as a write conflict asks for, so it must have no other
 * effect. A duplicate key has ended the transaction already: `work` lets it through, and another run sees the document
 * that was there first (REL-3). Throws `overloaded` after 8 s, where the outcome may not be known: the driver
 * alone retries a transaction or its commit for 120 s.
 */
export const inTransaction = async <T>(
  connection: Connection,
  work: (tx: ClientSession) => Promise<T>,
): Promise<T> => {
  const session = connection.getClient().startSession();
  const run = async (): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await session.withTransaction(work, {
          readConcern: { level: 'snapshot' },
          writeConcern: { w: 'majority', journal: true, wtimeoutMS: 5_000 },
          readPreference: 'primary',
          maxCommitTimeMS: writeLimitMs,
        });
      } catch (error) {
        if (!isDuplicateKey(error) || attempt === duplicateAttempts) throw error;
      }
    }
  };
  try {
    return await withDeadline(mayTakeMs, run);
  } finally {
    // Also what makes a run that is too late stop: an ended session takes no further command.
    const ended = session.endSession();
    ended.catch(() => undefined);
  }
};
