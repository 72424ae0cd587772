import { endpoints } from '@pufftrack/contract';
import { answer, route, type Route } from '../../../platform/http/route.ts';
import { isAppleJws } from '../keys/token-header.ts';
import type { SignInService } from './sign-in-service.ts';

export const appleSignInRoutes = (signIns: SignInService): Route[] => [
  route(endpoints.createNonce, async () => answer(200, await signIns.createNonce())),
  route(
    endpoints.signInWithApple,
    async ({ input, log }) => answer(200, await signIns.signIn(input.body, log)),
    ({ body }) => (isAppleJws(body.identityToken) ? 'address' : 'garbage'),
  ),
];
