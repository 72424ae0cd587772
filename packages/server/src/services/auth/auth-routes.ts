import { endpoints } from '@pufftrack/contract';
import { answer, route, type Route } from '../../platform/http/route.ts';
import type { SessionService } from './session-service.ts';
import type { SignInService } from './sign-in-service.ts';
import type { SigningKeys } from './signing-keys.ts';

export const authRoutes = (deps: {
  signIns: SignInService;
  sessions: SessionService;
  keys: SigningKeys;
}): Route[] => [
  route(endpoints.createNonce, async () => answer(200, await deps.signIns.createNonce())),
  route(endpoints.signInWithApple, async ({ input, log }) =>
    answer(200, await deps.signIns.signIn(input.body, log)),
  ),
  route(endpoints.refreshSession, async ({ input, log }) =>
    answer(200, await deps.sessions.refresh(input.body.refreshToken, log)),
  ),
  route(endpoints.logout, async ({ input, bearer, log }) => {
    await deps.sessions.logout({ bearer, refreshToken: input.body.refreshToken }, log);
    return { status: 204 as const };
  }),
  route(endpoints.getJwks, () => Promise.resolve(answer(200, deps.keys.jwks()))),
];
