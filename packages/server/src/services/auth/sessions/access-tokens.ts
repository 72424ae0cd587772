import { errors, jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import type { Actor } from '../../../platform/edge/actor.ts';
import { newId } from '../../../platform/ids.ts';
import { accessTtlMs, type SigningKeys } from '../keys/signing-keys.ts';
import { keyIdOf, readJwsForm } from '../keys/token-header.ts';

const algorithm = 'ES256';
const typ = 'at+jwt';
const audience = 'pufftrack';
/** Valid tokens have some 500 characters. */
const maxLength = 2_048;
/** 64 bytes of ES256 in base64url. */
const signatureLength = 86;
/** A client may send the same expired token many times before it refreshes. */
const maxExpiredTokens = 5_000;

const Claims = z.object({
  sub: z.string().min(1),
  sid: z.string().min(1),
  jti: z.string().min(1),
  /** Counter of the refresh token issued with this one: a use of either proves that both were received (SES-4). */
  rtc: z.number().int().min(1),
  iat: z.number(),
  exp: z.number(),
});

export interface AccessToken {
  readonly actor: Actor;
  readonly refreshCounter: number;
}

/** JWT access tokens (RFC 9068) with opaque ids and times, without personal data (SES-1). */
export interface AccessTokens {
  /** Valid for 15 minutes, and not after `notAfter` (ms). */
  mint(claims: {
    userId: string;
    sessionId: string;
    refreshCounter: number;
    notAfter: number;
  }): Promise<{ token: string; expiresInSeconds: number }>;
  /**
   * Reads the session of a token without verifying it, in some microseconds. Throws `invalid-token` if it cannot be a
   * token of this server, and `token-expired` if it is known to have expired.
   */
  read(token: string): { sessionId: string };
  /** Verifies signature and claims, not the session. Throws `invalid-token` or `token-expired`. */
  verify(token: string): Promise<AccessToken>;
}

export const createAccessTokens = (deps: {
  keys: SigningKeys;
  clock: Clock;
  issuer: string;
}): AccessTokens => {
  const { keys, clock, issuer } = deps;
  /** Expiry of verified tokens, so that a repeated expired token costs no signature check. */
  const expired = new LRUCache<string, number>({ max: maxExpiredTokens });

  const tokens: AccessTokens = {
    async mint({ userId, sessionId, refreshCounter, notAfter }) {
      const { kid, privateKey } = keys.active();
      const issuedAt = Math.floor(clock.now() / 1000);
      const expiresAt = Math.floor(Math.min(issuedAt * 1000 + accessTtlMs, notAfter) / 1000);
      const token = await new SignJWT({ sid: sessionId, rtc: refreshCounter })
        .setProtectedHeader({ alg: algorithm, typ, kid })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(userId)
        .setJti(newId())
        .setIssuedAt(issuedAt)
        .setExpirationTime(expiresAt)
        .sign(privateKey);
      return { token, expiresInSeconds: expiresAt - issuedAt };
    },

    read(token) {
      if (clock.now() >= (expired.get(token) ?? Infinity)) throw tokenExpired();
      const form = readJwsForm(token, maxLength);
      const sessionId = form?.payload['sid'];
      if (
        form?.alg !== algorithm ||
        form.typ !== typ ||
        form.signatureLength !== signatureLength ||
        typeof sessionId !== 'string'
      )
        throw invalidToken();
      return { sessionId };
    },

    async verify(token) {
      tokens.read(token);
      try {
        const { payload } = await jwtVerify(
          token,
          async (header) => {
            const kid = keyIdOf(header);
            const key = kid === undefined ? undefined : await keys.find(kid);
            if (!key) throw invalidToken();
            return key;
          },
          { algorithms: [algorithm], typ, issuer, audience, currentDate: new Date(clock.now()) },
        );
        const claims = Claims.parse(payload);
        return {
          actor: Object.freeze({
            userId: claims.sub,
            sessionId: claims.sid,
            expiresAt: claims.exp * 1000,
          }),
          refreshCounter: claims.rtc,
        };
      } catch (error) {
        if (error instanceof errors.JWTExpired) {
          if (typeof error.payload.exp === 'number') expired.set(token, error.payload.exp * 1_000);
          throw tokenExpired();
        }
        // The error is not the cause: jose's errors carry the payload, and causes are logged.
        if (error instanceof errors.JOSEError || error instanceof z.ZodError) throw invalidToken();
        throw error;
      }
    },
  };
  return tokens;
};

const invalidToken = () =>
  new DomainError('invalid-token', { detail: 'This is not an access token of this server.' });

export const tokenExpired = () =>
  new DomainError('token-expired', { detail: 'The access token has expired. Refresh the session.' });
