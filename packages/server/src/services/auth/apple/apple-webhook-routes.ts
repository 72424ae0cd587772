import { endpoints } from '@pufftrack/contract';
import { answer, route, type Route } from '../../../platform/http/route.ts';
import { isAppleJws } from '../keys/token-header.ts';
import type { AppleNotifications } from './apple-notification-service.ts';

export const appleWebhookRoutes = (notifications: AppleNotifications): Route[] => [
  route(
    endpoints.receiveAppleNotification,
    async ({ input, log }) => {
      await notifications.receive(input.body.payload, log);
      return answer(200, {});
    },
    ({ body }) => (isAppleJws(body.payload) ? 'address' : 'garbage'),
  ),
];
