import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Clock } from '../../platform/clock.ts';
import { DomainError } from '../../platform/errors.ts';
import type { Actor } from '../../platform/actor.ts';
import { newId } from '../../platform/ids.ts';
import { accessTtlMs } from './session.ts';
import type { SigningKeys } from './signing-keys.ts';
import { keyIdOf } from './token-header.ts';

const algorithm = 'ES256';
const typ = 'at+jwt';
const audience = 'pufftrack';

const Claims = z.object({
  sub: z.string().min(1),
  sid: z.string().min(1),
  jti: z.string().min(1),
  /** The refresh token that this one came with, by its number: using one shows that the other has arrived (SES-4). */
  rtc: z.number().int().min(1),
  iat: z.number(),
  exp: z.number(),
});

export interface AccessToken {
  readonly actor: Actor;
  readonly refreshCounter: number;
}

/** JWT access tokens (RFC 9068) that hold opaque ids and times, nothing of a person (SES-1). */
export interface AccessTokens {
  /** Good for 15 minutes, and not past `notAfter` (ms). */
  mint(claims: {
    userId: string;
    sessionId: string;
    refreshCounter: number;
    notAfter: number;
  }): Promise<{ token: string; expiresInSeconds: number }>;
  /** Signature and claims only. Throws `invalid-token` or `token-expired`. */
  verify(token: string): Promise<AccessToken>;
}

export const createAccessTokens = (deps: {
  keys: SigningKeys;
  clock: Clock;
  issuer: string;
}): AccessTokens => {
  const { keys, clock, issuer } = deps;
  return {
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

    async verify(token) {
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
        if (error instanceof errors.JWTExpired) throw tokenExpired();
        // Not as its cause: jose's errors carry the payload, and a cause is logged.
        if (error instanceof errors.JOSEError || error instanceof z.ZodError) throw invalidToken();
        throw error;
      }
    },
  };
};

const invalidToken = () =>
  new DomainError('invalid-token', { detail: 'This is not an access token of this server.' });

export const tokenExpired = () =>
  new DomainError('token-expired', { detail: 'The access token has run out. Refresh the session.' });
