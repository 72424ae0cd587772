import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { MintIdentityToken } from './identity-token.ts';

export const AuthorizationRequest = z.strictObject({
  /** Any name for the person who signs in, for example `alice`. */
  person: z.string().min(1).max(200),
  /** The app's bundle id: `aud` of the token. */
  clientId: z.string().min(1).max(200),
  /** Echoed into the token as it is; an app sends the SHA-256 of the server's nonce in hex (SIWA-4). */
  nonce: z.string().min(1).max(512),
  /** Absent: the person shares no address, and the token has no email claims. */
  email: z.email().optional(),
  name: z.object({ firstName: z.string().optional(), lastName: z.string().optional() }).optional(),
  /** Apple sends booleans (the default) since February 2024, strings before, and documents both (SIWA-12). */
  emailClaims: z.enum(['boolean', 'string']).optional(),
});
export type AuthorizationRequest = z.infer<typeof AuthorizationRequest>;

export interface AppleAuthorization {
  identityToken: string;
  /** One use, 5 minutes. */
  authorizationCode: string;
  /** The person's `sub`. */
  user: string;
  /** The address in the token, each time; Apple hands it to the app at the first authorisation alone. */
  email?: string | undefined;
  /** Only at the person's first authorisation of this app since the start or the last revocation (SIWA-13). */
  name?: { firstName?: string | undefined; lastName?: string | undefined } | undefined;
}

export interface TokenAnswer {
  access_token: string;
  token_type: 'Bearer';
  expires_in: number;
  /** Of a code alone: a refresh token is not replaced when it is used. */
  refresh_token?: string;
  id_token: string;
}

export interface Authorizations {
  readonly revokedTokens: readonly string[];
  codeExchanges(): number;
  authorize(request: AuthorizationRequest): Promise<AppleAuthorization>;
  /** Undefined when the code is unknown, used, expired or another app's. */
  redeemCode(code: string, clientId: string): Promise<TokenAnswer | undefined>;
  /** Undefined when the token is unknown, revoked or another app's. */
  refresh(token: string, clientId: string): Promise<TokenAnswer | undefined>;
  /** Ends the person's grant to the app; an unknown token is recorded and otherwise ignored, as by Apple. */
  revoke(token: string, clientId: string): void;
}

interface Grant {
  clientId: string;
  sub: string;
  claims: Record<string, unknown>;
}

const codeTtlMs = 5 * 60_000;
const accessTokenTtlSeconds = 3600;

/** A `sub` in Apple's shape: stable for a person within a team, unrelated between teams. */
export const subjectOf = (teamId: string, person: string): string => {
  const digest = createHash('sha256').update(`${teamId}\n${person}`).digest();
  const digits = (offset: number, modulus: number, length: number): string =>
    String(digest.readUInt16BE(offset) % modulus).padStart(length, '0');
  return `${digits(16, 2000, 6)}.${digest.toString('hex', 0, 16)}.${digits(18, 2400, 4)}`;
};

/** `prefix` is what Apple's opaque tokens start with: c(ode), r(efresh), a(ccess). */
const opaqueToken = (prefix: 'c' | 'r' | 'a'): string =>
  `${prefix}${randomBytes(16).toString('hex')}.0.rsy.${randomBytes(16).toString('base64url')}`;

/** OpenID Connect Core 3.3.2.11: the left half of the hash of what the token was issued with. */
const halfHash = (value: string): string =>
  createHash('sha256').update(value).digest().subarray(0, 16).toString('base64url');

/** As in the field: `is_private_email` is absent for the person's own address. */
const emailClaims = ({ email, emailClaims: form }: AuthorizationRequest): Record<string, unknown> => {
  if (email === undefined) return {};
  const yes = form === 'string' ? 'true' : true;
  const isPrivate = email.toLowerCase().endsWith('@privaterelay.appleid.com');
  return { email, email_verified: yes, ...(isPrivate && { is_private_email: yes }) };
};

/** Who authorised which app, with the codes and tokens that follow from it; all of it in memory. */
export const openAuthorizations = (simulator: {
  teamId: string;
  now: () => number;
  mint: MintIdentityToken;
}): Authorizations => {
  const { teamId, now, mint } = simulator;
  const codes = new Map<string, Grant & { expiresAt: number }>();
  const accessTokens = new Map<string, Grant>();
  const refreshTokens = new Map<string, Grant>();
  const authorized = new Set<string>();
  const revokedTokens: string[] = [];
  let codeExchanges = 0;

  const pairOf = ({ clientId, sub }: Grant): string => `${clientId} ${sub}`;

  const answerTo = async (grant: Grant): Promise<TokenAnswer> => {
    const accessToken = opaqueToken('a');
    accessTokens.set(accessToken, grant);
    const { clientId: aud, sub, claims } = grant;
    return {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: accessTokenTtlSeconds,
      id_token: await mint({ claims: { aud, sub, at_hash: halfHash(accessToken), ...claims } }),
    };
  };

  return {
    revokedTokens,
    codeExchanges: () => codeExchanges,

    authorize: async (request) => {
      const { person, clientId, nonce, email, name } = request;
      const grant: Grant = {
        clientId,
        sub: subjectOf(teamId, person),
        claims: { nonce, ...emailClaims(request) },
      };
      const isFirst = !authorized.has(pairOf(grant));
      authorized.add(pairOf(grant));
      const code = opaqueToken('c');
      codes.set(code, { ...grant, expiresAt: now() + codeTtlMs });
      return {
        identityToken: await mint({
          claims: { aud: clientId, sub: grant.sub, c_hash: halfHash(code), ...grant.claims },
        }),
        authorizationCode: code,
        user: grant.sub,
        ...(email !== undefined && { email }),
        ...(isFirst && name !== undefined && { name }),
      };
    },

    redeemCode: async (code, clientId) => {
      const found = codes.get(code);
      if (found?.clientId !== clientId) return undefined;
      // Taken before anything is awaited: of two parallel exchanges one wins.
      codes.delete(code);
      const { expiresAt, ...grant } = found;
      if (expiresAt <= now()) return undefined;
      codeExchanges += 1;
      const refreshToken = opaqueToken('r');
      refreshTokens.set(refreshToken, grant);
      return { ...(await answerTo(grant)), refresh_token: refreshToken };
    },

    refresh: async (token, clientId) => {
      const grant = refreshTokens.get(token);
      return grant?.clientId === clientId ? answerTo(grant) : undefined;
    },

    revoke: (token, clientId) => {
      revokedTokens.push(token);
      const revoked = refreshTokens.get(token) ?? accessTokens.get(token);
      if (revoked?.clientId !== clientId) return;
      authorized.delete(pairOf(revoked));
      for (const held of [codes, accessTokens, refreshTokens]) {
        for (const [key, grant] of held) if (pairOf(grant) === pairOf(revoked)) held.delete(key);
      }
    },
  };
};
