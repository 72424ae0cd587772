import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../platform/clock.ts';
import { createJobs, type Jobs } from '../platform/scheduler/job-runner.ts';
import { createJobStore } from '../platform/scheduler/job-store.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import { adminCommands, warnOfWeakDeployment } from '../platform/mongo/deployment-warnings.ts';
import { connectMongo, isPrimaryReachable, requireReplicaSet } from '../platform/mongo/connect.ts';
import { probeWrite } from '../platform/mongo/write-probe.ts';
import type { Realtime } from '../platform/realtime/socket-server.ts';
import type { Metrics } from '../platform/telemetry/metrics.ts';
import {
  masterKeysOf,
  rotateSigningKeys,
  type AppleTeam,
  type AppleTimeLimits,
  type DeviceCheckMode,
} from '../services/auth/index.ts';
import type { ApnsConfig } from '../services/notifications/index.ts';
import { migrateDatabase } from './migrations.ts';
import { openShared, type Shared } from './shared.ts';
import { createServices, type Services } from './services.ts';
import { targetNames, type TargetName } from '../target-names.ts';
import { edgesOf } from './targets.ts';

export interface CoreConfig {
  readonly publicUrl: string;
  readonly targets: readonly TargetName[];
  readonly mongoUri: string;
  /** Undefined: this process is the only one. */
  readonly redisUrl: string | undefined;
  readonly apple: {
    readonly baseUrl: string;
    readonly issuers: readonly string[];
    readonly clientIds: readonly string[];
    readonly team: AppleTeam | undefined;
    readonly deviceCheckMode: DeviceCheckMode;
    readonly deviceCheckBaseUrl: string;
    /** Those of production unless given. */
    readonly timeLimits?: AppleTimeLimits | undefined;
  };
  readonly masterKey: Buffer;
  readonly previousMasterKey?: Buffer | undefined;
  /** Undefined: nothing is pushed. */
  readonly apns: ApnsConfig | undefined;
}

/** What a server and a command have in common: the database, the services on it, and their jobs. */
export interface Core {
  readonly services: Services;
  readonly edges: ReturnType<typeof edgesOf>;
  readonly jobs: Jobs;
  readonly shared: Shared;
  /** The sockets of all processes. */
  readonly realtime: () => Realtime;
  /** Answers what it ran. */
  migrate(): Promise<string[]>;
  /** Puts a new signing key in force; takes as long as the other processes need to learn of it. */
  rotateKeys(say: (line: string) => void): Promise<unknown>;
  isDatabaseReachable(): Promise<boolean>;
  /** Resolves when a small write is acknowledged as puffs are. */
  probeWrite(): Promise<void>;
}

export const openCore = async (deps: {
  parts: Lifecycle;
  config: CoreConfig;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  realtime: () => Realtime;
}): Promise<Core> => {
  const { parts, config, clock, log, metrics } = deps;
  const connection = await parts.start(
    'mongodb',
    () => connectMongo(config.mongoUri),
    (open) => open.close(),
  );
  await parts.start('replica set', async () => {
    await requireReplicaSet(connection);
    await warnOfWeakDeployment(adminCommands(connection), log);
  });
  const { redisUrl } = config;
  const shared = await openShared({ parts, redisUrl, database: connection.name, clock, log });
  const realtime = shared.realtimeOf(deps.realtime, (event, reference) =>
    services.notifications.loadEvent(event, reference),
  );
  const services: Services = createServices({
    connection,
    clock,
    log,
    bus: shared.bus,
    sharedData: shared.personalData,
    metrics,
    auth: {
      appleBaseUrl: config.apple.baseUrl,
      appleIssuers: config.apple.issuers,
      appleClientIds: config.apple.clientIds,
      appleTeam: config.apple.team,
      deviceCheckMode: config.apple.deviceCheckMode,
      deviceCheckBaseUrl: config.apple.deviceCheckBaseUrl,
      appleTimeLimits: config.apple.timeLimits,
      publicUrl: config.publicUrl,
      masterKey: config.masterKey,
      previousMasterKey: config.previousMasterKey,
    },
    apns: config.apns,
    realtime,
  });
  await parts.start('bus', shared.follow, shared.stop);
  const edges = edgesOf(config.targets, services);
  const jobStore = createJobStore(connection);
  return {
    services,
    edges,
    shared,
    realtime,
    jobs: createJobs({
      store: jobStore,
      scheduled: edges.jobs,
      all: edgesOf(targetNames, services).jobs,
      clock,
      log,
      metrics,
    }),
    migrate: () => migrateDatabase({ connection, clock, log, services, jobStore }),
    rotateKeys: (say) =>
      rotateSigningKeys({
        connection,
        clock,
        masterKeys: masterKeysOf(config),
        say,
        wait: (ms) => pause(ms),
      }),
    isDatabaseReachable: () => isPrimaryReachable(connection),
    probeWrite: () => probeWrite(connection),
  };
};
