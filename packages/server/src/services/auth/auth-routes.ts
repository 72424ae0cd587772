import { endpoints } from '@pufftrack/contract';
import { answer, noContent, route, type Route } from '../../platform/http/route.ts';
import type { AppleNotifications } from './apple-notification-service.ts';
import type { SessionService } from './session-service.ts';
import type { SignInService } from './sign-in-service.ts';
import type { SigningKeys } from './signing-keys.ts';

export const authRoutes = (deps: {
  signIns: SignInService;
  sessions: SessionService;
  keys: SigningKeys;
  notifications: AppleNotifications;
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
    return noContent;
  }),
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
  route(endpoints.receiveAppleNotification, async ({ input, log }) => {
    await deps.notifications.receive(input.body.payload, log);
    return answer(200, {});
  }),
  route(endpoints.getJwks, () => Promise.resolve(answer(200, deps.keys.jwks()))),
];
