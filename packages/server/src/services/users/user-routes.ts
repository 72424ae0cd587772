import { endpoints } from '@pufftrack/contract';
import { DomainError } from '../../platform/errors.ts';
import { answer, route, type Route } from '../../platform/http/route.ts';
import type { Erasures } from './erasures.ts';
import { legalVersions } from './legal-versions.ts';
import type { UserService } from './user-service.ts';

export const userRoutes = (users: UserService, erasures: Pick<Erasures, 'begin'>): Route[] => [
  route(endpoints.getMe, async ({ actor }) => answer(200, await users.me(actor.userId))),
  route(endpoints.patchMe, async ({ actor, input }) =>
    answer(200, await users.change(actor.userId, input.body)),
  ),
  route(endpoints.putMe, async ({ actor, input }) =>
    answer(200, await users.change(actor.userId, input.body)),
  ),
  route(endpoints.deleteMe, async ({ actor, input, log }) => {
    const { authorizationCode } = input.body;
    const begun = await erasures.begin(actor.userId, { authorizationCode, log });
    if (!begun) throw new DomainError('account-gone', { detail: 'This account does not exist any more.' });
    return answer(202, begun);
  }),
  route(endpoints.getConsents, async ({ actor }) =>
    answer(200, { consents: await users.consents(actor.userId) }),
  ),
  route(endpoints.putConsents, async ({ actor, input }) =>
    answer(200, { consents: await users.changeConsents(actor.userId, input.body.consents) }),
  ),
  route(endpoints.getLegalVersions, () => Promise.resolve(answer(200, { ...legalVersions }))),
];
