import { defaultBodyLimit, endpoints } from '@pufftrack/contract';
import type { Clock } from '../platform/clock.ts';
import { answer, route, type Route } from '../platform/http/route.ts';
import { maxSocketsPerPerson } from '../platform/realtime/socket-server.ts';
import { frameLimitBytes } from '../platform/realtime/upgrades.ts';
import { maxLiveSessions } from '../services/auth/index.ts';

/** `GET /config`: what an app asks at its start. The figures are those of the contract's schemas. */
export const clientConfigRoutes = (deps: { clock: Clock; minAppBuild: number }): Route[] => [
  route(endpoints.getConfig, () =>
    Promise.resolve(
      answer(200, {
        minAppBuild: deps.minAppBuild,
        serverTime: new Date(deps.clock.now()).toISOString(),
        limits: {
          puffsPerBatch: 1_000,
          puffsPerSocketBatch: 100,
          quantityPerPuff: 50,
          bodyBytes: defaultBodyLimit,
          batchBodyBytes: endpoints.recordPuffBatch.bodyLimit,
          socketFrameBytes: frameLimitBytes,
          pageSize: 500,
          sessions: maxLiveSessions,
          socketsPerPerson: maxSocketsPerPerson,
        },
      }),
    ),
  ),
];
