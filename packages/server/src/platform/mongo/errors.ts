import {
  MongoBulkWriteError,
  MongoError,
  MongoNetworkError,
  MongoServerError,
  type WriteError,
} from 'mongodb';

const duplicateKey = 11000;

export const isDuplicateKey = (error: unknown): boolean =>
  error instanceof MongoServerError && error.code === duplicateKey;

/**
 * The positions of an unordered bulk write that hit a unique key, where the reply says nothing else: no write concern
 * error, and no other write error. Undefined for anything less clear (a code 64 without write errors above all).
 */
export const duplicateKeyPositions = (error: unknown): ReadonlySet<number> | undefined => {
  if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError()) return undefined;
  const writeErrors = ([] as WriteError[]).concat(error.writeErrors as WriteError | WriteError[]);
  if (writeErrors.length === 0 || writeErrors.some(({ code }) => code !== duplicateKey)) return undefined;
  return new Set(writeErrors.map(({ index }) => index));
};

/** Faults of the database or of the way to it, not of the request: the same request may be sent again. */
export const isDatabaseUnavailable = (error: unknown): boolean =>
  error instanceof MongoNetworkError ||
  // A bulk write wraps what ended it before the server had answered.
  (error instanceof MongoBulkWriteError && isDatabaseUnavailable(error.errorResponse)) ||
  (error instanceof MongoError &&
    (unavailable.test(error.name) ||
      error.hasErrorLabel('RetryableWriteError') ||
      error.hasErrorLabel('TransientTransactionError') ||
      unavailableCodes.has(error.code)));

/** src/mongo/base/error_codes.yml: maxTimeMS, write concern timed out, and what a server says that is no primary now. */
const unavailableCodes: ReadonlySet<unknown> = new Set([50, 64, 91, 189, 10107, 11600, 11602, 13435, 13436]);

const unavailable =
  /^Mongo(ServerSelection|Topology|WaitQueueTimeout|PoolCleared|PoolClosed|ClientClosed|NotConnected|WriteConcern|OperationTimeout)/;
