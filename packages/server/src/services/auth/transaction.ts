import type { ClientSession } from 'mongodb';
import type { Connection } from 'mongoose';
import { DomainError } from '../../platform/errors.ts';
import { isDuplicateKey } from '../../platform/mongo/errors.ts';

const mayTakeMs = 8_000;
const duplicateAttempts = 5;

export type InTransaction = <T>(work: (tx: ClientSession) => Promise<T>) => Promise<T>;

/**
 * Runs `work` in one transaction, from its beginning as often as a write conflict asks for. A duplicate key aborts it
 * and is answered from outside by another run, which sees the document that was there first (trust.md REL-3).
 * The driver alone would go on for 120 s; the deadline makes that `overloaded`.
 */
export const transactionsOf =
  (connection: Connection): InTransaction =>
  async (work) => {
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
          writeConcern: { w: 'majority', journal: true },
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
