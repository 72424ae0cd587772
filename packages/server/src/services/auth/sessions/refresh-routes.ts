import { endpoints } from '@pufftrack/contract';
import { answer, route, type RateSubject, type Route } from '../../../platform/http/route.ts';
import type { RefreshService } from './refresh-service.ts';
import { readRefreshToken } from './refresh-token.ts';
import type { SessionIds } from './session-ids.ts';

export const refreshRoutes = (deps: {
  refreshes: RefreshService;
  sessionIds: Pick<SessionIds, 'isProven'>;
}): Route[] => [
  route(
    endpoints.refreshSession,
    async ({ input, log }) => answer(200, await deps.refreshes.refresh(input.body.refreshToken, log)),
    ({ body }) => countedFor(readRefreshToken(body.refreshToken)?.sessionId, deps.sessionIds),
  ),
];

/** Calls that carry a token count for its session, not for the address. */
export const countedFor = (sessionId: string | undefined, ids: Pick<SessionIds, 'isProven'>): RateSubject =>
  sessionId === undefined ? 'garbage' : { sessionId, isProven: ids.isProven(sessionId) };
