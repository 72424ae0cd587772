import { endpoints } from '@pufftrack/contract';
import { DomainError } from '../../../platform/edge/errors.ts';
import { answer, noContent, route, type Route } from '../../../platform/http/route.ts';
import type { Erasures } from '../privacy/erasures.ts';
import type { GhostService } from '../sharing/ghost-service.ts';
import { legalVersions } from '../privacy/legal-versions.ts';
import type { UserService } from './user-service.ts';

export const userRoutes = ({
  users,
  ghosts,
  erasures,
}: {
  users: UserService;
  ghosts: GhostService;
  erasures: Pick<Erasures, 'begin'>;
}): Route[] => [
  route(endpoints.getMe, async ({ actor }) => answer(200, await users.me(actor.userId))),
  route(endpoints.patchMe, async ({ actor, input }) =>
    answer(200, await users.change(actor.userId, input.body)),
  ),
  route(endpoints.putMe, async ({ actor, input }) =>
    answer(200, await users.change(actor.userId, input.body)),
  ),
  route(endpoints.rotateFriendCode, async ({ actor }) =>
    answer(200, { friendCode: await users.rotateFriendCode(actor.userId) }),
  ),
  route(endpoints.putGhost, async ({ actor, input }) =>
    answer(200, await ghosts.begin(actor.userId, input.body.until)),
  ),
  route(endpoints.deleteGhost, async ({ actor }) => {
    await ghosts.end(actor.userId);
    return noContent;
  }),
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
