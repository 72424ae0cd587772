import type { ClientSession, Connection } from 'mongoose';
import { DomainError } from '../errors.ts';
import { isDuplicateKey } from './errors.ts';

const mayTakeMs = 8_000;
const duplicateAttempts = 5;

/**
 * Runs `work` in one transaction, from its beginning as often as a write conflict asks for, so it must have no other
 * effect. A duplicate key has ended the transaction already: `work` lets it through, and another run sees the document
 * that was there first (trust.md REL-3). The driver alone would go on for 120 s; the deadline makes that `overloaded`.
 */
export const inTransaction = async <T>(
  connection: Connection,
  work: (tx: ClientSession) => Promise<T>,
): Promise<T> => {
  const deadline = AbortSignal.timeout(mayTakeMs);
  const once = () =>
    connection.transaction(
      (tx) => {
        if (deadline.aborted)
          throw new DomainError('overloaded', {
            detail: 'The database is too busy at the moment. Send the same request again.',
            retryAfterSeconds: 1,
          });
        return work(tx);
      },
      {
        readConcern: { level: 'snapshot' },
        writeConcern: { w: 'majority', journal: true, wtimeoutMS: 5_000 },
        readPreference: 'primary',
      },
    );
  for (let attempt = 1; ; attempt++) {
    try {
      return await once();
    } catch (error) {
      if (!isDuplicateKey(error) || attempt === duplicateAttempts) throw error;
    }
  }
};
