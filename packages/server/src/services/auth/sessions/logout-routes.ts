import { endpoints } from '@pufftrack/contract';
import { noContent, route, type Route } from '../../../platform/http/route.ts';
import type { AccessTokens } from './access-tokens.ts';
import { countedFor } from './refresh-routes.ts';
import { readRefreshToken } from './refresh-token.ts';
import type { SessionIds } from './session-ids.ts';
import type { SessionService } from './session-service.ts';

export const logoutRoutes = (deps: {
  sessions: SessionService;
  accessTokens: Pick<AccessTokens, 'read'>;
  sessionIds: Pick<SessionIds, 'isProven'>;
}): Route[] => [
  route(
    endpoints.logout,
    async ({ input, bearer, log }) => {
      await deps.sessions.logout({ bearer, refreshToken: input.body.refreshToken }, log);
      return noContent;
    },
    ({ body: { refreshToken }, bearer }) =>
      countedFor(
        refreshToken === undefined
          ? sessionOfBearer(bearer, deps.accessTokens)
          : readRefreshToken(refreshToken)?.sessionId,
        deps.sessionIds,
      ),
  ),
  route(endpoints.logoutAll, async ({ actor, log }) => {
    await deps.sessions.endAllOwn(actor, log);
    return noContent;
  }),
];

/** The session that a bearer token names, unverified; undefined for a malformed or expired token, which is rejected. */
const sessionOfBearer = (
  bearer: string | undefined,
  accessTokens: Pick<AccessTokens, 'read'>,
): string | undefined => {
  try {
    return bearer === undefined ? undefined : accessTokens.read(bearer).sessionId;
  } catch {
    return undefined;
  }
};
