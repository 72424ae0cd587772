import { endpoints } from '@pufftrack/contract';
import { answer, route, type Route } from '../../../platform/http/route.ts';
import type { UserService } from './user-service.ts';

export const userRoutes = (users: UserService): Route[] => [
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
];
