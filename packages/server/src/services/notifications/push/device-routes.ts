import { endpoints } from '@pufftrack/contract';
import { answer, noContent, route, type Route } from '../../../platform/http/route.ts';
import type { DeviceService } from './device-service.ts';

export const deviceRoutes = (devices: DeviceService): Route[] => [
  route(endpoints.registerDevice, async ({ actor, input: { body } }) =>
    answer(201, await devices.register(actor, body)),
  ),
  route(endpoints.removeDevice, async ({ actor, input: { params } }) => {
    await devices.remove(actor.userId, params.token);
    return noContent;
  }),
];
