import type { Connection } from 'mongoose';
import { createServices, type Services } from '../src/app/services.ts';
import { noBus } from '../src/platform/bus/bus.ts';
import type { Clock } from '../src/platform/clock.ts';
import { createLogger } from '../src/platform/logger.ts';
import { noSockets } from '../src/platform/realtime/socket-server.ts';
import { createMetrics } from '../src/platform/telemetry/metrics.ts';

/** All services of a process without its edges: no HTTP, no sockets, no bus, no Apple. */
export const servicesAlone = (connection: Connection, clock: Clock): Services =>
  createServices({
    connection,
    clock,
    log: createLogger({ level: 'silent' }),
    bus: noBus,
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
