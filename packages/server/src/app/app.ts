import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import type { Clock } from '../platform/clock.ts';
import { requestDeadlineMs } from '../platform/concurrency/deadline.ts';
import { createOriginPolicy } from '../platform/edge/origins.ts';
import { createHttpMetrics } from '../platform/http/http-metrics.ts';
import { warnOfUntrustedProxy } from '../platform/http/forwarded-warning.ts';
import { createHttpServer } from '../platform/http/server.ts';
import type { Jobs } from '../platform/scheduler/job-runner.ts';
import { createLifecycle, stopWithinMs, type Lifecycle, type Phase } from '../platform/lifecycle.ts';
import { createRateLimits } from '../platform/limits/rate-limits.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import { createWriteProbe, writesFreshForMs } from '../platform/mongo/write-probe.ts';
import { createOverload, watchLoopLag, type WatchLag } from '../platform/edge/overload.ts';
import { connectPacketMs } from '../platform/realtime/connection-guard.ts';
import { refusedTransports } from '../platform/realtime/handshake.ts';
import { createRealtime, noSockets, type RealtimeServer } from '../platform/realtime/socket-server.ts';
import { createMetrics, type Metrics } from '../platform/telemetry/metrics.ts';
import { createMetricsServer, metricsPage } from '../platform/telemetry/metrics-server.ts';
import { clientConfigRoutes } from './client-config.ts';
import { openCore, type CoreConfig } from './core.ts';
import { docsPages } from './docs.ts';
import { healthRoutes } from './health.ts';
import { watchZoneRules } from './zone-rules-age.ts';

export interface AppConfig extends CoreConfig {
  readonly host: string;
  readonly port: number;
  readonly docs: boolean;
  readonly metrics: {
    /** A listener of its own for `GET /metrics`; 0: any free port. */
    readonly port: number | undefined;
    /** Whether the API's own listener answers it too. */
    readonly onApiListener: boolean;
  };
  /** Whether the jobs of the targets run by their schedule. They can be run by hand in any case. */
  readonly scheduledJobs: boolean;
  readonly edge: {
    /** Proxies between clients and this server: how many entries of `X-Forwarded-For` are true. */
    readonly trustedHops: number;
    /** Origins of pages elsewhere that may call. */
    readonly corsOrigins: readonly string[];
    /** A factor on the rate limits. */
    readonly rateLimitScale: number;
    readonly minAppBuild: number;
  };
  /** ms between readiness turning false and the listener closing: how long a load balancer needs to notice. */
  readonly drainNoticeMs: number;
}

export interface TimeLimits {
  /** ms from a request or a socket event to its answer. */
  readonly requestMs: number;
  /** ms from the upgrade of a socket to its CONNECT packet. */
  readonly connectPacketMs: number;
  /** How old (ms) the last acknowledged write may be while the process is ready. */
  readonly writesFreshForMs: number;
  /** ms for all parts to stop. */
  readonly stopMs: number;
}

const productionLimits: TimeLimits = {
  requestMs: requestDeadlineMs,
  connectPacketMs,
  writesFreshForMs,
  stopMs: stopWithinMs,
};

export interface App {
  readonly port: number;
  /** Where `/metrics` has a listener of its own. */
  readonly metricsPort: number | undefined;
  readonly jobs: Pick<Jobs, 'list' | 'run' | 'runDue'>;
  /** Resolves when nothing is queued or under way, checkpoints included. */
  drain(): Promise<void>;
  /** Drains and stops (REL-8); resolves when everything is closed. */
  stop(): Promise<void>;
}

/**
 * The composition root: starts one process's parts in the order in which they stand here and stops them in the reverse.
 * Two apps can live in one process. Throws what the first failing part threw, with the parts before it stopped.
 */
export const startApp = async (deps: {
  config: AppConfig;
  clock: Clock;
  log: Logger;
  validateAnswers?: boolean;
  /** Log lines that were dropped because nothing reads stdout. */
  lostLogLines?: () => number;
  /** Tests say how late the loop is. */
  watchLag?: WatchLag;
  /** Tests of a database that does not respond wait for less than production. */
  timeLimits?: Partial<TimeLimits>;
  /** Default true. Tests that count queries switch it off, because its queries depend on time. */
  audiencePolling?: boolean;
}): Promise<App> => {
  const { config, clock, log, audiencePolling = true } = deps;
  const timeLimits = { ...productionLimits, ...deps.timeLimits };
  const parts = createLifecycle(log, timeLimits.stopMs);
  let phase: Phase = 'starting';
  let realtime: RealtimeServer | undefined;

  const metrics = createMetrics();
  metrics.watchProcess();
  watchZoneRules({ clock, log, metrics });
  metrics.watched(
    { name: 'log_lines_lost', help: 'Log lines since the start that were dropped while stdout was not read' },
    deps.lostLogLines ?? (() => 0),
  );
  const core = await openCore({ parts, config, clock, log, metrics, realtime: () => realtime ?? noSockets });
  const { edges, jobs, shared } = core;
  const { auth, users, puffs, notifications, coaching } = core.services;
  const { trustedHops, minAppBuild, corsOrigins, rateLimitScale } = config.edge;
  const limits = createRateLimits({ store: shared.rateStore, clock, scale: rateLimitScale, metrics });
  const { watchLag = watchLoopLag } = deps;
  const overload = await parts.start(
    'overload',
    () => createOverload({ watchLag, metrics, log }),
    ({ stop }) => {
      stop();
    },
  );
  const { requireCapacity } = overload;
  const writeProbe = createWriteProbe({
    write: core.probeWrite,
    now: () => performance.now(),
    log,
    metrics,
    freshForMs: timeLimits.writesFreshForMs,
  });
  const isOriginAllowed = createOriginPolicy(corsOrigins, config.publicUrl);
  const server = createHttpServer({
    routes: [
      ...healthRoutes({
        phase: () => phase,
        isDatabaseReachable: core.isDatabaseReachable,
        takesWrites: writeProbe.takesWrites,
        redis: shared.state,
      }),
      ...clientConfigRoutes({ clock, minAppBuild }),
      ...edges.routes,
    ],
    pages: [
      ...(config.metrics.onApiListener ? [(app: Express) => app.get('/metrics', metricsPage(metrics))] : []),
      ...(edges.pages && config.docs ? [docsPages(config.publicUrl)] : []),
      ...(edges.sockets ? [refusedTransports] : []),
    ],
    authenticate: auth.authenticate,
    requireFreshSignIn: auth.requireFreshSignIn,
    limits,
    isOriginAllowed,
    hasSockets: edges.sockets,
    trustedHops,
    minAppBuild,
    log,
    flushed: shared.bus.flushed,
    metrics: createHttpMetrics(metrics),
    connectionMetrics: metrics,
    validateAnswers: deps.validateAnswers ?? false,
    phase: () => phase,
    requireCapacity,
    requestDeadlineMs: timeLimits.requestMs,
  });
  if (edges.sockets)
    realtime = createRealtime({
      server,
      authenticate: auth.authenticate,
      limits,
      isOriginAllowed,
      trustedHops,
      rateScale: rateLimitScale,
      clock,
      log,
      metrics,
      phase: () => phase,
      places: shared.socketPlaces,
      everywhere: core.realtime,
      requireCapacity,
      requestDeadlineMs: timeLimits.requestMs,
      connectPacketMs: timeLimits.connectPacketMs,
      events: puffs.events,
      onConnect: notifications.onConnect,
    });

  warnOfUntrustedProxy(server, { trustedHops, log });
  // Listens while the database is migrated, so that a long start is seen as one and not as a dead process.
  const port = await parts.start(
    'listener',
    () => listen(server, config, 'PORT'),
    () => {
      // Closed already, unless the start failed before the process accepted requests.
      server.close();
      server.closeAllConnections();
    },
  );
  const metricsPort = await startMetrics(parts, metrics, config);
  await parts.start('migrations', core.migrate);
  await parts.start('write probe', writeProbe.start, writeProbe.stop);
  await parts.start('auth', auth.start, auth.stop);
  if (edges.sockets && audiencePolling)
    await parts.start('audience polling', users.audiencePoller.start, users.audiencePoller.stop);
  await parts.start('puffs', () => undefined, puffs.stop);
  await parts.start('users', users.start, users.stop);
  await parts.start(
    'notifications',
    () => {
      if (edges.sockets) notifications.start();
    },
    notifications.stop,
  );
  await parts.start('coaching', () => undefined, coaching.drain);
  await parts.start(
    'jobs',
    () => {
      if (config.scheduledJobs) jobs.start();
    },
    jobs.stop,
  );
  await parts.start(
    'accepting',
    () => {
      phase = 'open';
    },
    async () => {
      phase = 'draining';
      await wait(config.drainNoticeMs);
      const closed = closeServer(server, timeLimits.requestMs + 1_000);
      await realtime?.close(config.drainNoticeMs);
      await closed;
    },
  );

  const drain = async () => {
    await auth.drain();
    await users.drain();
    await puffs.drain();
    await coaching.drain();
    await notifications.drain();
  };
  return { port, metricsPort, jobs, drain, stop: parts.stop };
};

/** The figures are there from the listener's start to its end, so that a long start and a long drain are seen too. */
const startMetrics = async (parts: Lifecycle, metrics: Metrics, { host, metrics: { port } }: AppConfig) => {
  if (port === undefined) return undefined;
  const server = createMetricsServer(metrics);
  return parts.start(
    'metrics',
    () => listen(server, { host, port }, 'METRICS_PORT'),
    () => {
      server.close();
      server.closeAllConnections();
    },
  );
};

const listen = async (
  server: Server,
  { host, port }: Pick<AppConfig, 'host' | 'port'>,
  setting: 'PORT' | 'METRICS_PORT',
): Promise<number> => {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    const isTaken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
    throw new Error(
      isTaken
        ? `Port ${port} of ${host} is taken by another program. Set ${setting} to a free one.`
        : `Port ${port} of ${host} cannot be opened. Set HOST and ${setting} to what this machine may listen on.`,
      { cause },
    );
  }
  return (server.address() as AddressInfo).port;
};

/** Stops accepting, and waits for the requests under way, `withinMs` at most. */
const closeServer = async (server: Server, withinMs: number): Promise<void> => {
  const closed = new Promise((resolve) => server.close(resolve));
  // A connection that falls idle only now is not closed by `close`.
  const sweep = setInterval(() => {
    server.closeIdleConnections();
  }, 100);
  const deadline = setTimeout(() => {
    server.closeAllConnections();
  }, withinMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(deadline);
};

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
