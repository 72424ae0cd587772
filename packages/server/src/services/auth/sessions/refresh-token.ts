import { createHmac, timingSafeEqual } from 'node:crypto';

/** Secret scanners know the prefix; the id is one of `SessionIds`, the last part 256 bits of HMAC in base64url. */
const form = /^ptr_([0-9a-z]{26})\.([1-9][0-9]{0,9})\.([A-Za-z0-9_-]{43})$/;

export interface RefreshTokenName {
  readonly sessionId: string;
  readonly counter: number;
}

/**
 * A refresh token is derived, not stored: its counter under the session's own key. So a retry gets the same token
 * again, and the database holds nothing that could be sent in its place (SES-2, SES-4).
 */
export const refreshTokenOf = ({ sessionId, counter }: RefreshTokenName, key: Buffer): string =>
  `ptr_${sessionId}.${counter}.${createHmac('sha256', key).update(`${sessionId}.${counter}`).digest('base64url')}`;

/** What the token says it is; nothing is proven yet. Undefined where it has not the form of one. */
export const readRefreshToken = (token: string): RefreshTokenName | undefined => {
  const [, sessionId, counter] = form.exec(token) ?? [];
  return sessionId === undefined ? undefined : { sessionId, counter: Number(counter) };
};

/** Whether the key of the session has made it, in constant time. */
export const isRefreshTokenOf = (token: string, name: RefreshTokenName, key: Buffer): boolean => {
  const expected = Buffer.from(refreshTokenOf(name, key));
  const given = Buffer.from(token);
  return given.length === expected.length && timingSafeEqual(given, expected);
};
