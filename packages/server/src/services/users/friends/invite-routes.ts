import { endpoints } from '@pufftrack/contract';
import { answer, route, type Route } from '../../../platform/http/route.ts';
import type { Invites } from './invite-service.ts';

export const inviteRoutes = (invites: Invites): Route[] => [
  route(endpoints.createInvite, async ({ actor }) => answer(201, await invites.create(actor.userId))),
  route(endpoints.acceptInvite, async ({ actor, input: { body } }) =>
    answer(200, { friend: await invites.accept(actor, body.token, body.shareLevel) }),
  ),
];
