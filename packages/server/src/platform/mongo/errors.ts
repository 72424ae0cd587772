import { MongoError, MongoNetworkError, MongoServerError } from 'mongodb';

export const isDuplicateKey = (error: unknown): boolean =>
  error instanceof MongoServerError && error.code === 11000;

/** Faults of the database or of the way to it, not of the request: the same request may be sent again. */
export const isDatabaseUnavailable = (error: unknown): boolean =>
  error instanceof MongoNetworkError ||
  (error instanceof MongoError &&
    (/^Mongo(ServerSelection|Topology|WaitQueueTimeout|PoolCleared|PoolClosed|NotConnected|WriteConcern|OperationTimeout)/.test(
      error.name,
    ) ||
      error.hasErrorLabel('RetryableWriteError') ||
      error.hasErrorLabel('TransientTransactionError') ||
      error.code === 64 || // write concern timed out
      error.code === 50)); // maxTimeMS
