import { MongoError } from 'mongodb';
import type { ClientSession, Connection } from 'mongoose';
import { withDeadline } from '../concurrency/deadline.ts';
import { isDuplicateKey } from './errors.ts';
import { writeLimitMs } from './time-limits.ts';

const transactionLimitMs = 8_000;
const duplicateAttempts = 5;

/**
 * Runs `work` in one transaction, from its beginning as often as a write conflict asks for, so it must have no other
 * effect. A duplicate key has ended the transaction already: `work` lets it through, and another run sees the document
 * that was there first (REL-3). Throws `overloaded` after 8 s, because the driver alone retries a transaction or its
 * commit for 120 s; the commit may still land then.
 *
 * @param onUnknownOutcome runs after the transaction has ended when this call threw and the transaction may have been
 * committed. It must be right in both cases, such as dropping a cached copy. It must not throw.
 */
export const inTransaction = async <T>(
  connection: Connection,
  work: (tx: ClientSession) => Promise<T>,
  onUnknownOutcome?: () => void,
): Promise<T> => {
  const session = connection.getClient().startSession();
  let hasGivenUp = false;
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
  const watched = async (): Promise<T> => {
    let isUnknown = false;
    try {
      return await run();
    } catch (error) {
      isUnknown = error instanceof MongoError && error.hasErrorLabel('UnknownTransactionCommitResult');
      throw error;
    } finally {
      if (isUnknown || hasGivenUp) onUnknownOutcome?.();
    }
  };
  try {
    return await withDeadline(transactionLimitMs, watched);
  } finally {
    hasGivenUp = true;
    // Also stops a run that is past its limit: an ended session takes no further command.
    const ended = session.endSession();
    ended.catch(() => undefined);
  }
};
