/** What an answer of APNs means for a push, for its device and for the queue (PUSH-4). */
export type ApnsOutcome =
  | { readonly kind: 'sent' }
  /** The token is none for us: the device goes. */
  | { readonly kind: 'bad-device' }
  /** The token was good until `since` (ms): the device goes unless it has registered again after it. */
  | { readonly kind: 'gone'; readonly since: number | undefined }
  /** The provider token has run out: one new one, one more attempt. */
  | { readonly kind: 'token-expired' }
  /** Apple does not take our key: nothing more is sent for a while, and somebody has to look. */
  | { readonly kind: 'halt'; readonly reason: string }
  /** New provider tokens came too often: none is made for 20 minutes. */
  | { readonly kind: 'too-many-tokens' }
  /** This push can never be sent; `reason` is for whoever set the program up or wrote it. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Later, with growing pauses; `afterMs` where Apple said how long. */
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs?: number };

export interface ApnsAnswer {
  readonly status: number;
  readonly body: string;
  readonly retryAfter?: string | undefined;
}

/** Source: "Handling notification responses from APNs" of Apple's documentation. */
export const apnsOutcome = ({ status, body, retryAfter }: ApnsAnswer): ApnsOutcome => {
  if (status === 200) return { kind: 'sent' };
  const { reason, timestamp } = read(body);
  const said = reason === undefined ? `${status}` : `${status} ${reason}`;
  if (status === 400 && reason === 'BadDeviceToken') return { kind: 'bad-device' };
  if (status === 410) return { kind: 'gone', since: timestamp };
  if (status === 403 && reason === 'ExpiredProviderToken') return { kind: 'token-expired' };
  if (status === 403 && reason !== 'Forbidden') return { kind: 'halt', reason: said };
  if (status === 429 && reason === 'TooManyProviderTokenUpdates') return { kind: 'too-many-tokens' };
  if (status === 429 || status >= 500 || reason === 'IdleTimeout')
    return { kind: 'retry', reason: said, ...afterMsOf(retryAfter) };
  return { kind: 'refused', reason: said };
};

const longestWaitSeconds = 3_600;

const afterMsOf = (retryAfter: string | undefined): { afterMs?: number } =>
  retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter)
    ? { afterMs: Math.min(longestWaitSeconds, Math.max(1, Number(retryAfter))) * 1_000 }
    : {};

/** Apple's answers are not trusted to be what they should (API-10). */
const read = (body: string): { reason: string | undefined; timestamp: number | undefined } => {
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
