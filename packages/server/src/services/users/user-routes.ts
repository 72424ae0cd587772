import { endpoints } from '@pufftrack/contract';
import { answer, route, type Route } from '../../platform/http/route.ts';
import { legalVersions } from './legal-versions.ts';
import type { UserService } from './user-service.ts';

export const userRoutes = (users: UserService): Route[] => [
  route(endpoints.getMe, async ({ actor }) => answer(200, await users.me(actor.userId))),
  route(endpoints.patchMe, async ({ actor, input }) =>
    answer(200, await users.change(actor.userId, input.body)),
  ),
  route(endpoints.putMe, async ({ actor, input }) =>
    answer(200, await users.change(actor.userId, input.body)),
  ),
  route(endpoints.getConsents, async ({ actor }) =>
    answer(200, { consents: await users.consents(actor.userId) }),
  ),
  route(endpoints.putConsents, async ({ actor, input }) =>
    answer(200, { consents: await users.changeConsents(actor.userId, input.body.consents) }),
  ),
  route(endpoints.getLegalVersions, () => Promise.resolve(answer(200, { ...legalVersions }))),
];
