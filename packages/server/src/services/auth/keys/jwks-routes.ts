import { endpoints } from '@pufftrack/contract';
import { answer, route, type Route } from '../../../platform/http/route.ts';
import type { SigningKeys } from './signing-keys.ts';

export const jwksRoutes = (signingKeys: SigningKeys): Route[] => [
  route(endpoints.getJwks, () => Promise.resolve(answer(200, signingKeys.jwks()))),
];
