import { createHmac, timingSafeEqual } from 'node:crypto';

/** Prefix for secret scanners, session id, counter, and 256 bits of HMAC in base64url. */
const form = /^ptr_([0-9a-z]{26})\.([1-9][0-9]{0,9})\.([A-Za-z0-9_-]{43})$/;

export interface RefreshTokenName {
  readonly sessionId: string;
  readonly counter: number;
}

/**
 * A refresh token is derived, not stored: an HMAC of its counter under the session's key. So a retry gets the same token,
 * and the database contains no usable token (SES-2, SES-4).
 */
export const refreshTokenOf = ({ sessionId, counter }: RefreshTokenName, key: Buffer): string =>
  `ptr_${sessionId}.${counter}.${createHmac('sha256', key).update(`${sessionId}.${counter}`).digest('base64url')}`;

/** Parses a token without verifying it. Undefined if it is malformed. */
export const readRefreshToken = (token: string): RefreshTokenName | undefined => {
  const [, sessionId, counter] = form.exec(token) ?? [];
  return sessionId === undefined ? undefined : { sessionId, counter: Number(counter) };
};

/** Verifies a token with the key of its session, in constant time. */
export const isRefreshTokenOf = (token: string, name: RefreshTokenName, key: Buffer): boolean => {
  const expected = Buffer.from(refreshTokenOf(name, key));
  const actual = Buffer.from(token);
  return actual.length === expected.length && timingSafeEqual(actual, expected);
};
