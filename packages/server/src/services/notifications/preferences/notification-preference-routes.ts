import { endpoints } from '@pufftrack/contract';
import { answer, route, type Route } from '../../../platform/http/route.ts';
import type { PreferencesService } from './preferences-service.ts';

export const notificationPreferenceRoutes = (preferences: PreferencesService): Route[] => [
  route(endpoints.getNotificationPreferences, async ({ actor }) =>
    answer(200, await preferences.get(actor.userId)),
  ),
  route(endpoints.putNotificationPreferences, async ({ actor, input: { body } }) =>
    answer(200, await preferences.change(actor.userId, body)),
  ),
];
