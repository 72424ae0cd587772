/** The meaning of an APNs response for the push, its device and the queue (PUSH-4). */
export type ApnsOutcome =
  | { readonly kind: 'sent' }
  /** The device token is invalid: the device is removed. */
  | { readonly kind: 'bad-device' }
  /** The token is invalid since `since` (ms): the device is removed unless it has registered again after it. */
  | { readonly kind: 'gone'; readonly since: number | undefined }
  /** The provider token has expired: one attempt with a new one. */
  | { readonly kind: 'token-expired' }
  /** APNs rejects the provider key: pushes are paused, and an operator has to act. */
  | { readonly kind: 'halt'; readonly reason: string }
  /** Provider tokens were renewed too often: none is created for 20 minutes. */
  | { readonly kind: 'too-many-tokens' }
  /** This push can never be sent; `reason` is for the operator. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Retried with growing delays; `afterMs` if APNs named one. */
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs?: number };

export interface ApnsResponse {
  readonly status: number;
  readonly body: string;
  readonly retryAfter?: string | undefined;
}

/** Source: "Handling notification responses from APNs" of Apple's documentation. */
export const apnsOutcome = ({ status, body, retryAfter }: ApnsResponse): ApnsOutcome => {
  if (status === 200) return { kind: 'sent' };
  const { reason, timestamp } = parseBody(body);
  const description = reason === undefined ? `${status}` : `${status} ${reason}`;
  if (status === 400 && reason === 'BadDeviceToken') return { kind: 'bad-device' };
  if (status === 410) return { kind: 'gone', since: timestamp };
  if (status === 403 && reason === 'ExpiredProviderToken') return { kind: 'token-expired' };
  if (status === 403 && reason !== 'Forbidden') return { kind: 'halt', reason: description };
  if (status === 429 && reason === 'TooManyProviderTokenUpdates') return { kind: 'too-many-tokens' };
  if (status === 429 || status >= 500 || reason === 'IdleTimeout')
    return { kind: 'retry', reason: description, ...afterMsOf(retryAfter) };
  return { kind: 'refused', reason: description };
};

const maxRetryAfterSeconds = 3_600;

const afterMsOf = (retryAfter: string | undefined): { afterMs?: number } =>
  retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter)
    ? { afterMs: Math.min(maxRetryAfterSeconds, Math.max(1, Number(retryAfter))) * 1_000 }
    : {};

/** Responses are validated like any other input (API-10). */
const parseBody = (body: string): { reason: string | undefined; timestamp: number | undefined } => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    parsed = undefined;
  }
  const fields: Record<string, unknown> = typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  const { reason, timestamp } = fields;
  return {
    reason: typeof reason === 'string' ? reason.slice(0, 64) : undefined,
    timestamp: typeof timestamp === 'number' ? timestamp : undefined,
  };
};
