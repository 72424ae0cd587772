import { errors, jwtVerify } from 'jose';
import { z } from 'zod';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import type { AppleKeys } from './apple-keys.ts';
import { keyIdOf } from '../keys/token-header.ts';

/** Tolerated difference between Apple's clock and this server's. */
const skewSeconds = 60;
const maxAgeSeconds = 10 * 60;

const Claims = z.object({
  sub: z.string().min(1).max(255),
  /** A single app; a list could name another app too. */
  aud: z.string().min(1),
  iat: z.number(),
  exp: z.number(),
  nonce: z.string().optional().catch(undefined),
  email: z
    .string()
    .max(254)
    .regex(/^[^\s@]+@[^\s@]+$/)
    .optional()
    .catch(undefined),
  email_verified: z.unknown().optional(),
});

/** The verified claims of an identity token. */
export interface AppleIdentity {
  readonly sub: string;
  /** The app that the token was issued for: one of APPLE_CLIENT_IDS. */
  readonly clientId: string;
  /** The claim as it is: SHA-256 in hex of this server's nonce. */
  readonly nonce: string | undefined;
  /** An address that Apple has verified; never used as a key (SIWA-12). */
  readonly email: string | null;
}

/** Throws `invalid-identity-token`, or `apple-unavailable` if the key is unknown and Apple does not answer. */
export type VerifyIdentityToken = (identityToken: string) => Promise<AppleIdentity>;

/** Verifies an identity token of Sign in with Apple (SIWA-1 to SIWA-3). */
export const identityTokenVerifier = (deps: {
  keys: AppleKeys;
  clock: Clock;
  issuers: readonly string[];
  /** Bundle ids. Without any, jose would accept a token of any app. */
  clientIds: readonly string[];
}): VerifyIdentityToken => {
  const { keys, clock } = deps;
  const [issuer, audience] = [[...deps.issuers], [...deps.clientIds]];
  if (issuer.length === 0 || audience.length === 0)
    throw new Error('APPLE_ISSUERS and APPLE_CLIENT_IDS must each name at least one trusted value.');

  return async (identityToken) => {
    const now = clock.now();
    try {
      const { payload } = await jwtVerify(
        identityToken,
        async (header) => {
          const kid = keyIdOf(header);
          if (kid === undefined) throw rejected('its header is not one of Apple');
          const key = await keys.find(kid);
          if (!key) throw rejected('Apple has no such key');
          return key;
        },
        {
          algorithms: ['RS256'],
          issuer,
          audience,
          requiredClaims: ['sub', 'aud', 'iat', 'exp'],
          clockTolerance: skewSeconds,
          currentDate: new Date(now),
        },
      );
      const claims = Claims.parse(payload);
      const age = now / 1000 - claims.iat;
      if (age < -skewSeconds) throw rejected('it was issued in the future');
      if (age > maxAgeSeconds) throw rejected('it was issued more than 10 minutes ago');
      return {
        sub: claims.sub,
        clientId: claims.aud,
        nonce: claims.nonce,
        email: isTrue(claims.email_verified) ? (claims.email ?? null) : null,
      };
    } catch (error) {
      throw toRejection(error);
    }
  };
};

/** Apple documents its flags as booleans and as strings (SIWA-12). */
const isTrue = (flag: unknown): boolean => flag === true || flag === 'true';

const rejected = (reason: string) =>
  new DomainError('invalid-identity-token', { detail: `The identity token is rejected: ${reason}.` });

/** The error is not the cause: jose's errors carry the payload, and causes are logged. */
const toRejection = (error: unknown): unknown => {
  if (error instanceof errors.JWTExpired) return rejected('it has expired');
  if (error instanceof errors.JWTClaimValidationFailed) return rejected(`its ${error.claim} is not accepted`);
  if (error instanceof errors.JOSEError) return rejected('its form, algorithm or signature is not accepted');
  if (error instanceof z.ZodError) return rejected('a claim is missing or empty');
  return error;
};
