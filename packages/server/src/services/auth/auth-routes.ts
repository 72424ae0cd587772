import { endpoints } from '@pufftrack/contract';
import { answer, noContent, route, type Counted, type Route } from '../../platform/http/route.ts';
import type { AccessTokens } from './sessions/access-tokens.ts';
import type { AppleNotifications } from './apple/apple-notification-service.ts';
import { readRefreshToken } from './sessions/refresh-token.ts';
import type { SessionIds } from './sessions/session-ids.ts';
import type { SessionService } from './sessions/session-service.ts';
import type { SignInService } from './sign-in/sign-in-service.ts';
import type { SigningKeys } from './keys/signing-keys.ts';
import { isAppleJws } from './keys/token-header.ts';

export const authRoutes = (deps: {
  signIns: SignInService;
  sessions: SessionService;
  keys: SigningKeys;
  notifications: AppleNotifications;
  accessTokens: Pick<AccessTokens, 'read'>;
  sessionIds: SessionIds;
}): Route[] => [
  route(endpoints.createNonce, async () => answer(200, await deps.signIns.createNonce())),
  route(
    endpoints.signInWithApple,
    async ({ input, log }) => answer(200, await deps.signIns.signIn(input.body, log)),
    ({ body }) => (isAppleJws(body.identityToken) ? 'address' : 'garbage'),
  ),
  route(
    endpoints.refreshSession,
    async ({ input, log }) => answer(200, await deps.sessions.refresh(input.body.refreshToken, log)),
    ({ body }) => sessionOf(readRefreshToken(body.refreshToken)?.sessionId, deps.sessionIds),
  ),
  route(
    endpoints.logout,
    async ({ input, bearer, log }) => {
      await deps.sessions.logout({ bearer, refreshToken: input.body.refreshToken }, log);
      return noContent;
    },
    ({ body: { refreshToken }, bearer }) =>
      sessionOf(
        refreshToken === undefined
          ? namedBy(bearer, deps.accessTokens)
          : readRefreshToken(refreshToken)?.sessionId,
        deps.sessionIds,
      ),
  ),
  route(endpoints.logoutAll, async ({ actor, log }) => {
    await deps.sessions.endEveryOwn(actor, log);
    return noContent;
  }),
  route(endpoints.listSessions, async ({ actor }) =>
    answer(200, { sessions: await deps.sessions.list(actor) }),
  ),
  route(endpoints.endSession, async ({ actor, input, log }) => {
    await deps.sessions.endOne(actor, input.params.id, log);
    return noContent;
  }),
  route(
    endpoints.receiveAppleNotification,
    async ({ input, log }) => {
      await deps.notifications.receive(input.body.payload, log);
      return answer(200, {});
    },
    ({ body }) => (isAppleJws(body.payload) ? 'address' : 'garbage'),
  ),
  route(endpoints.getJwks, () => Promise.resolve(answer(200, deps.keys.jwks()))),
];

const sessionOf = (sessionId: string | undefined, ids: SessionIds): Counted =>
  sessionId === undefined ? 'garbage' : { sessionId, isProven: ids.isProven(sessionId) };

/** The session of a bearer token, by its form; undefined where it is none or has expired, which is refused anyway. */
const namedBy = (
  bearer: string | undefined,
  accessTokens: Pick<AccessTokens, 'read'>,
): string | undefined => {
  try {
    return bearer === undefined ? undefined : accessTokens.read(bearer).sessionId;
  } catch {
    return undefined;
  }
};
