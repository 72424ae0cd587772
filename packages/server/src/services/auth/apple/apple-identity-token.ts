import { errors, jwtVerify } from 'jose';
import { z } from 'zod';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import type { AppleKeys } from './apple-keys.ts';
import { keyIdOf } from '../keys/token-header.ts';

/** Apple's clock and ours may differ by this. */
const skewSeconds = 60;
const maxAgeSeconds = 10 * 60;

const Claims = z.object({
  sub: z.string().min(1).max(255),
  /** One app, as Apple writes it; a list could name another app beside ours. */
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

/** What Apple says of the person. */
export interface AppleIdentity {
  readonly sub: string;
  /** The app that it was issued for: one of APPLE_CLIENT_IDS. */
  readonly clientId: string;
  /** The claim as it stands in the token: SHA-256 in hex of the nonce that the app got from here. */
  readonly nonce: string | undefined;
  /** An address that Apple has verified; never a key of anything (SIWA-12). */
  readonly email: string | null;
}

/** Throws `invalid-identity-token`, or `apple-unavailable` where the key is unknown and Apple does not answer. */
export type VerifyIdentityToken = (identityToken: string) => Promise<AppleIdentity>;

/** Verifies an identity token of Sign in with Apple, here and completely (SIWA-1 to SIWA-3). */
export const identityTokenVerifier = (deps: {
  keys: AppleKeys;
  clock: Clock;
  issuers: readonly string[];
  /** Bundle ids; with none, jose would take a token of any app. */
  clientIds: readonly string[];
}): VerifyIdentityToken => {
  const { keys, clock } = deps;
  const [issuer, audience] = [[...deps.issuers], [...deps.clientIds]];
  if (issuer.length === 0 || audience.length === 0)
    throw new Error(
      'APPLE_ISSUERS and APPLE_CLIENT_IDS must name at least one each: they are whom we trust.',
    );

  return async (identityToken) => {
    const now = clock.now();
    try {
      const { payload } = await jwtVerify(
        identityToken,
        async (header) => {
          const kid = keyIdOf(header);
          if (kid === undefined) throw refused('its header is not one of Apple');
          const key = await keys.find(kid);
          if (!key) throw refused('Apple has no such key');
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
      if (age < -skewSeconds) throw refused('it was issued in the future');
      if (age > maxAgeSeconds) throw refused('it was issued more than 10 minutes ago');
      return {
        sub: claims.sub,
        clientId: claims.aud,
        nonce: claims.nonce,
        email: isTrue(claims.email_verified) ? (claims.email ?? null) : null,
      };
    } catch (error) {
      throw toRefusal(error);
    }
  };
};

/** Apple documents its flags as booleans and as strings (SIWA-12). */
const isTrue = (flag: unknown): boolean => flag === true || flag === 'true';

const refused = (why: string) =>
  new DomainError('invalid-identity-token', { detail: `The identity token is refused: ${why}.` });

/** Without the error as its cause: jose's carry the payload, and a cause is logged. */
const toRefusal = (error: unknown): unknown => {
  if (error instanceof errors.JWTExpired) return refused('it has expired');
  if (error instanceof errors.JWTClaimValidationFailed) return refused(`its ${error.claim} is not accepted`);
  if (error instanceof errors.JOSEError) return refused('its form, algorithm or signature is not accepted');
  if (error instanceof z.ZodError) return refused('a claim is missing or empty');
  return error;
};
