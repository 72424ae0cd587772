import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createOriginPolicy } from '../src/platform/edge/origins.ts';
import { createHttpMetrics } from '../src/platform/http/http-metrics.ts';
import { createHttpServer, type HttpDeps } from '../src/platform/http/server.ts';
import { createRateLimits } from '../src/platform/limits/rate-limits.ts';
import { createMemoryRateStore } from '../src/platform/limits/rate-store.ts';
import { createLogger } from '../src/platform/telemetry/logger.ts';
import { createMetrics } from '../src/platform/telemetry/metrics.ts';

/** The HTTP server of a process with the routes of a test, on a free port of 127.0.0.1. */
export const startHttpServer = async (
  overrides: Partial<Omit<HttpDeps, 'limits'>> & { rateScale?: number } = {},
) => {
  const { rateScale = 1, ...deps } = overrides;
  const metrics = createMetrics();
  const clock = { now: () => 0 };
  const server = createHttpServer({
    routes: [],
    pages: [],
    authenticate: () => Promise.reject(new Error('no token here')),
    requireFreshSignIn: () => Promise.resolve(),
    limits: createRateLimits({ store: createMemoryRateStore(), clock, scale: rateScale, metrics }),
    isOriginAllowed: createOriginPolicy([], 'http://pufftrack.test'),
    hasSockets: false,
    trustedHops: 0,
    minAppBuild: 0,
    log: createLogger({ level: 'silent' }),
    flushed: () => undefined,
    metrics: createHttpMetrics(metrics),
    connectionMetrics: metrics,
    validateAnswers: true,
    phase: () => 'open',
    requireCapacity: () => undefined,
    requestDeadlineMs: 15_000,
    ...deps,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
};
