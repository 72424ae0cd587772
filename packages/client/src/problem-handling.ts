import type { ProblemCode } from '@pufftrack/contract';
import type { ApiError } from './api-error.ts';

/**
 * How the queue handles the puffs of a failed call.
 * - `retry-later`: they stay queued; the same call may succeed later, after `retryAfterMs` where the error carries it.
 * - `sign-in`, `consent`, `update-app`: they stay queued until the user has signed in, consented or updated the app.
 * - `reject`: final. A batch is halved until the puff that causes it is alone; that one moves to the rejected list.
 * - `set-aside`: a batch is halved as for `reject`, but the puff stays queued, behind all others.
 */
export type Handling = 'retry-later' | 'sign-in' | 'consent' | 'update-app' | 'reject' | 'set-aside';

/** Covers every code of the contract. */
export const problemHandling: Readonly<Record<ProblemCode | 'network', Handling>> = {
  network: 'retry-later',
  'rate-limited': 'retry-later',
  overloaded: 'retry-later',
  'not-ready': 'retry-later',
  'apple-unavailable': 'retry-later',
  conflict: 'retry-later',
  // The URL or the deployment is wrong, not a puff: a wrong base URL, a proxy, a server without this target.
  'not-found': 'retry-later',
  'method-not-allowed': 'retry-later',
  'unsupported-media-type': 'retry-later',
  'origin-not-allowed': 'retry-later',
  'expectation-failed': 'retry-later',
  'headers-too-large': 'retry-later',
  // The upload took too long; `wasCut` makes the next batch smaller.
  'request-timeout': 'retry-later',

  unauthenticated: 'sign-in',
  'invalid-token': 'sign-in',
  'token-expired': 'sign-in',
  'session-ended': 'sign-in',
  'refresh-reused': 'sign-in',
  'invalid-identity-token': 'sign-in',
  'invalid-nonce': 'sign-in',
  'reauth-required': 'sign-in',
  'account-gone': 'sign-in',
  'age-confirmation-required': 'sign-in',
  'under-age': 'sign-in',
  'device-refused': 'sign-in',

  'consent-required': 'consent',
  'consent-version': 'consent',

  'upgrade-required': 'update-app',

  malformed: 'reject',
  'forbidden-key': 'reject',
  invalid: 'reject',
  'payload-too-large': 'reject',
  'timestamp-in-future': 'reject',
  'too-old': 'reject',
  'day-full': 'reject',
  'limit-reached': 'reject',
  'invalid-cursor': 'reject',
  'undo-too-late': 'reject',
  'puff-deleted': 'reject',
  'resync-required': 'reject',

  internal: 'set-aside',
};

/** For codes that this SDK does not know yet. */
const handlingByStatus: Readonly<Record<number, Handling>> = {
  400: 'reject',
  401: 'sign-in',
  413: 'reject',
  422: 'reject',
  426: 'update-app',
};

export const handlingOf = ({ code, status }: ApiError): Handling =>
  Object.hasOwn(problemHandling, code) ? problemHandling[code] : (handlingByStatus[status] ?? 'retry-later');

/** System errors before a connection existed, which are independent of the size of the body. */
const connectErrors: ReadonlySet<unknown> = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
]);

const neverConnected = (cause: unknown): boolean => {
  // Browsers give no reason, but report a missing network.
  if ((globalThis as { navigator?: { onLine?: boolean } }).navigator?.onLine === false) return true;
  for (let error = cause; error instanceof Error; error = error.cause)
    if ('code' in error && connectErrors.has(error.code)) return true;
  return false;
};

/** The call timed out, or its connection broke: a smaller body may succeed. */
export const wasCut = ({ code, status, cause }: ApiError): boolean =>
  status === 408 || (code === 'network' && (status === 504 || (status === 0 && !neverConnected(cause))));
