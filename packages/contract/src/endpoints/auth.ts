import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { eachPurposeOnce, User } from './users.ts';
import { AgeBand, Day, decoration, Id, Instant, optional, Purpose, text, ZoneName } from '../values.ts';

export const Session = z
  .object({
    accessToken: z.string(),
    tokenType: z.literal('Bearer'),
    expiresIn: z.number().int().meta({ description: 'Seconds.' }),
    refreshToken: z.string(),
    refreshExpiresIn: z.number().int().meta({ description: 'Seconds.' }),
    user: User,
  })
  .meta({ id: 'Session', description: 'The tokens of a session, and its user.' });
export type Session = z.infer<typeof Session>;

export const createNonce = endpoint({
  method: 'POST',
  path: '/auth/apple/nonce',
  tag: 'auth',
  flush: 'always',
  auth: 'none',
  rate: 'nonce',
  summary: 'A nonce for Sign in with Apple; one use, 10 minutes',
  responses: {
    200: z.object({
      nonce: z.string().meta({ description: 'The raw nonce; Apple gets its SHA-256 in hex.' }),
      expiresAt: Instant,
    }),
  },
  problems: [],
});

/** A compact JWS is longer than any text of a person; 8 KB is twice what Apple has ever sent. */
const jws = z.string().min(1).max(8192);

export const AppleSignIn = z
  .object({
    identityToken: jws.meta({ description: 'The identity token that Apple gave to the app.' }),
    nonce: z.string().min(1).max(256).meta({ description: 'The raw nonce; Apple gets its SHA-256 in hex.' }),
    authorizationCode: optional(z.string().min(1).max(2048)).meta({
      description: 'Redeemed for a token that a deletion of the account revokes.',
    }),
    // A sign-in is never refused over what only decorates it: that is cleaned, truncated or dropped.
    user: optional(
      z.object({
        name: optional(z.object({ firstName: decoration(50), lastName: decoration(50) })).catch(undefined),
      }),
    ).catch(undefined),
    device: optional(
      z.object({
        id: optional(text(1, 64)).catch(undefined).meta({
          description:
            'One session per device: a sign-in ends the session of the same id. An id that is not valid is not used.',
        }),
        name: decoration(64),
        model: decoration(64).meta({ description: 'The hardware model.' }),
      }),
    ).catch(undefined),
    timeZone: optional(ZoneName).catch(undefined).meta({
      description: 'An unknown zone is not used: UTC for a new account, otherwise the zone stays as it is.',
    }),
    deviceCheckToken: optional(z.string().max(8192)).meta({ description: 'A token of DeviceCheck.' }),
    ageBand: optional(AgeBand),
    consents: optional(
      z
        .array(
          z.object({
            purpose: Purpose,
            version: text(1, 32).meta({ description: 'The version of the text that the user saw.' }),
          }),
        )
        .max(20)
        .superRefine(eachPurposeOnce),
    ).meta({
      description: 'Granted as by `PUT /users/me/consents`.',
    }),
  })
  .meta({ id: 'AppleSignIn' });
export type AppleSignIn = z.infer<typeof AppleSignIn>;

export const AppleSession = Session.extend({
  isNewUser: z.boolean().meta({ description: 'The sign-in has created the account.' }),
}).meta({ id: 'AppleSession', description: 'The tokens of a new session, and its user.' });

export const signInWithApple = endpoint({
  method: 'POST',
  path: '/auth/apple',
  tag: 'auth',
  flush: 'always',
  auth: 'none',
  rate: 'sign-in',
  summary: 'Sign in with an identity token of Apple; makes the account at the first time',
  body: AppleSignIn,
  responses: { 200: AppleSession },
  problems: [
    'invalid-identity-token',
    'invalid-nonce',
    'age-confirmation-required',
    'under-age',
    'consent-version',
    'limit-reached',
    'device-refused',
    'apple-unavailable',
  ],
});

export const refreshSession = endpoint({
  method: 'POST',
  path: '/auth/refresh',
  tag: 'auth',
  flush: 'always',
  auth: 'none',
  rate: 'session',
  summary: 'A new access token; the refresh token rotates',
  body: z.object({ refreshToken: z.string().min(1).max(512) }),
  responses: { 200: Session },
  problems: ['invalid-token', 'token-expired', 'session-ended', 'refresh-reused', 'account-gone'],
});

export const logout = endpoint({
  method: 'POST',
  path: '/auth/logout',
  tag: 'auth',
  flush: 'always',
  auth: 'none',
  rate: 'session',
  summary: 'End this session, named by the access token or by the refresh token',
  body: z.object({ refreshToken: optional(z.string().min(1).max(512)) }),
  bodyOptional: true,
  responses: { 204: null },
  problems: ['unauthenticated', 'invalid-token', 'token-expired'],
});

export const logoutAll = endpoint({
  method: 'POST',
  path: '/auth/logout-all',
  tag: 'auth',
  flush: 'always',
  auth: 'user',
  summary: 'End every session of the caller',
  responses: { 204: null },
  problems: [],
});

export const SessionInfo = z
  .object({
    id: z.string(),
    device: z
      .object({
        id: z.string().nullable(),
        name: z.string().nullable(),
        model: z.string().nullable().meta({ description: 'The hardware model.' }),
      })
      .meta({ description: 'As the app described it at the sign-in.' }),
    createdAt: Instant,
    lastUsedOn: Day.meta({ description: 'UTC day; nothing finer is kept.' }),
    current: z.boolean().meta({ description: 'The session of this very call.' }),
  })
  .meta({ id: 'SessionInfo', description: 'One sign-in on one device.' });
export type SessionInfo = z.infer<typeof SessionInfo>;

export const listSessions = endpoint({
  method: 'GET',
  path: '/auth/sessions',
  tag: 'auth',
  auth: 'user',
  summary: 'The sessions of the caller, newest first; at most ten, the oldest makes room',
  responses: { 200: z.object({ sessions: z.array(SessionInfo) }) },
  problems: [],
});

export const endSession = endpoint({
  method: 'DELETE',
  path: '/auth/sessions/:id',
  tag: 'auth',
  flush: 'always',
  auth: 'user',
  summary: 'End one session of the caller',
  params: z.object({ id: Id }),
  responses: { 204: null },
  problems: ['not-found'],
});

export const getJwks = endpoint({
  method: 'GET',
  path: '/.well-known/jwks.json',
  tag: 'auth',
  auth: 'none',
  summary: 'The public keys that access tokens verify with',
  responses: {
    200: z.object({
      keys: z
        .array(
          z.looseObject({
            kid: z.string().meta({ description: 'The key id in the header of a token.' }),
            kty: z.string().meta({ description: 'The key type of RFC 7517.' }),
          }),
        )
        .meta({ description: 'JSON Web Keys of RFC 7517.' }),
    }),
  },
  problems: [],
});

export const receiveAppleNotification = endpoint({
  method: 'POST',
  path: '/webhooks/apple',
  tag: 'auth',
  flush: 'always',
  auth: 'none',
  rate: 'webhook',
  summary: "Apple's server-to-server notifications; one `jti` has one effect",
  body: z.object({ payload: z.string().min(1).max(16_384).meta({ description: 'A JWS signed by Apple.' }) }),
  responses: { 200: z.object({}) },
  problems: ['malformed', 'apple-unavailable'],
});
