/** The typed SDK: REST and sockets of the contract, token refresh, offline queue. Runs in Node.js and browsers. */
export { ApiError } from './api-error.ts';
export {
  createClient,
  type AppleSessionResult,
  type AppleSignInInput,
  type Client,
  type ClientOptions,
  type SendResult,
} from './client.ts';
export { timestampWithOffset } from './phone-timestamp.ts';
export { handlingOf, problemHandling, type Handling } from './problem-handling.ts';
export type { FlushResult } from './puff-flush.ts';
export type { PuffQueue, RejectedPuff } from './puff-queue.ts';
export type { PuffSocket } from './puff-socket.ts';
export {
  memoryPuffStorage,
  type PuffStorage,
  type Rejection,
  type StoredPuff,
  type StoredRow,
} from './puff-storage.ts';
export { memoryTokenStore, type Tokens, type TokenStore } from './tokens.ts';
