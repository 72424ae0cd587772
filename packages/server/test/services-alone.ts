import type { Connection } from 'mongoose';
import { createServices, type Services } from '../src/app/services.ts';
import { noBus, type Bus } from '../src/platform/bus/bus.ts';
import type { Clock } from '../src/platform/clock.ts';
import { createLogger } from '../src/platform/telemetry/logger.ts';
import { noSockets } from '../src/platform/realtime/socket-server.ts';
import { createMetrics } from '../src/platform/telemetry/metrics.ts';

/** All services of a process without its edges: no HTTP, no sockets, no Apple, and no bus unless one is given. */
export const servicesAlone = (connection: Connection, clock: Clock, bus: Bus = noBus): Services =>
  createServices({
    connection,
    clock,
    log: createLogger({ level: 'silent' }),
    bus,
    sharedData: { eraseUser: () => Promise.resolve(0) },
    metrics: createMetrics(),
    auth: {
      appleBaseUrl: 'http://127.0.0.1:9',
      appleIssuers: ['https://appleid.apple.com'],
      appleClientIds: ['app.pufftrack.test'],
      appleTeam: undefined,
      deviceCheckMode: 'off',
      deviceCheckBaseUrl: 'http://127.0.0.1:9',
      publicUrl: 'http://pufftrack.test',
      masterKey: Buffer.alloc(32, 7),
    },
    apns: undefined,
    realtime: () => noSockets,
  });
