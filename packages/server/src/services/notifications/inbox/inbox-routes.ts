import { endpoints } from '@pufftrack/contract';
import { answer, noContent, route, type Route } from '../../../platform/http/route.ts';
import type { InboxService } from './inbox-service.ts';
import type { PreferencesService } from '../preferences/preferences-service.ts';

export const inboxRoutes = (inbox: InboxService, preferences: PreferencesService): Route[] => [
  route(endpoints.listNotifications, async ({ actor, input: { query } }) =>
    answer(200, await inbox.list(actor.userId, query)),
  ),
  route(endpoints.readNotifications, async ({ actor, input: { body } }) => {
    await inbox.markRead(actor.userId, body.ids);
    return noContent;
  }),
  route(endpoints.getNotificationPreferences, async ({ actor }) =>
    answer(200, await preferences.get(actor.userId)),
  ),
  route(endpoints.putNotificationPreferences, async ({ actor, input: { body } }) =>
    answer(200, await preferences.change(actor.userId, body)),
  ),
];
