import { endpoints } from '@pufftrack/contract';
import { answer, noContent, route, type Route } from '../../../platform/http/route.ts';
import type { SessionService } from './session-service.ts';

export const sessionRoutes = ({ sessions }: { sessions: SessionService }): Route[] => [
  route(endpoints.listSessions, async ({ actor }) => answer(200, { sessions: await sessions.list(actor) })),
  route(endpoints.endSession, async ({ actor, input, log }) => {
    await sessions.endOne(actor, input.params.id, log);
    return noContent;
  }),
];
