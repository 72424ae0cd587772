import { endpoints } from '@pufftrack/contract';
import { answer, noContent, route, type Route } from '../../../platform/http/route.ts';
import type { InboxService } from './inbox-service.ts';

export const notificationRoutes = (inbox: Pick<InboxService, 'list' | 'markRead'>): Route[] => [
  route(endpoints.listNotifications, async ({ actor, input: { query } }) =>
    answer(200, await inbox.list(actor.userId, query)),
  ),
  route(endpoints.readNotifications, async ({ actor, input: { body } }) => {
    await inbox.markRead(actor.userId, body.ids);
    return noContent;
  }),
];
