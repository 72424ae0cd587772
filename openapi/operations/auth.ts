import type { EndpointName } from '@pufftrack/contract';
import { jwt, objectId, session } from './examples.ts';
import type { OperationTexts } from './operation-text.ts';

export const authOperations = {
  createNonce: {
    description:
      'The app sends the SHA-256 of the nonce in hex to Apple and the raw nonce to `POST /auth/apple`. A nonce is valid for 10 minutes and for one sign-in.',
    answers: { 200: 'A new nonce.' },
    response: { 200: { nonce: 'q0s8m2Vd7xL1', expiresAt: '2026-10-21T10:25:00.000Z' } },
  },
  signInWithApple: {
    description:
      'Verifies the identity token and the nonce, creates the account on the first sign-in, and starts a session. On an existing account it is the fresh sign-in that sensitive calls require. A first sign-in needs `ageBand: "18+"`. `age-confirmation-required`, `under-age` and `apple-unavailable` store and consume nothing: complete the body and send it again with the same nonce. Members that only decorate a sign-in (names, device) are cleaned or dropped and never refuse it.',
    request: {
      identityToken: jwt,
      nonce: 'q0s8m2Vd7xL1',
      authorizationCode: 'c1a2b3',
      user: { name: { firstName: 'Alice' } },
      device: { id: 'iphone-1', name: 'iPhone', model: 'iPhone17,1' },
      timeZone: 'Europe/Berlin',
      ageBand: '18+',
      consents: [
        { purpose: 'terms', version: '1' },
        { purpose: 'health-processing', version: '1' },
      ],
    },
    answers: { 200: 'The session of this device.' },
    response: { 200: { ...session, isNewUser: true } },
  },
  refreshSession: {
    description:
      'Rotates the refresh token. If the answer is lost, send the same token again: the answer contains the same successor until the successor is first used, and for 60 s after that. A token that is two or more rotations old ends the session (`refresh-reused`). A session ends after 60 days without use and after 365 days in any case.',
    request: { refreshToken: session.refreshToken },
    answers: { 200: 'A new access token and the next refresh token.' },
    response: { 200: session },
  },
  logout: {
    description:
      'Ends the session that the access token or the refresh token names; the refresh token may have expired. Sockets of the session receive `sessionEnded` and close; its devices receive no more pushes.',
    request: { refreshToken: session.refreshToken },
    answers: { 204: 'The session has ended, or had ended before.' },
  },
  logoutAll: {
    description: 'Ends every session of the caller, this one included. All processes refuse them within 5 s.',
    answers: { 204: 'All sessions have ended.' },
  },
  listSessions: {
    description: 'An account has at most 10 sessions; an eleventh sign-in ends the oldest one.',
    answers: { 200: 'The sessions, newest first.' },
    response: {
      200: {
        sessions: [
          {
            id: objectId,
            device: { id: 'iphone-1', name: 'iPhone', model: 'iPhone17,1' },
            createdAt: '2026-10-01T08:00:00.000Z',
            lastUsedOn: '2026-10-21',
            current: true,
          },
        ],
      },
    },
  },
  endSession: {
    description: 'All processes refuse the session within 5 s. A session of another account is 404.',
    answers: { 204: 'The session has ended.' },
  },
  receiveAppleNotification: {
    description:
      'For Apple only. The payload is verified and stored by its `jti` before the answer, so a repeated notification has one effect. `consent-revoked` ends all sessions; `account-delete` erases the account.',
    request: { payload: jwt },
    answers: { 200: 'The notification is stored.' },
    response: { 200: {} },
  },
  getJwks: {
    description:
      'A new key is published before it signs and stays until the last token that it signed has expired. Cache the set and fetch it again on an unknown `kid`.',
    answers: { 200: 'The public keys as a JWK set.' },
    response: { 200: { keys: [{ kid: '2026-10-21', kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' }] } },
  },
} satisfies Partial<OperationTexts<EndpointName>>;
