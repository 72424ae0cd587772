import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { startAppleSimulator, type ApnsSimulator, type AppleSimulator } from '@pufftrack/apple-simulator';
import { createClient, type Client } from '@pufftrack/client';
import {
  createLogger,
  startApp,
  targetNames,
  type AppConfig,
  type Logger,
  type TargetName,
} from '@pufftrack/server';
import { startOneServer, startSplitServers, type Servers, type StartServer } from './servers.ts';
import { signInPerson, type Person, type PersonOptions } from './person.ts';
import { createTestClock, type TestClock } from './test-clock.ts';

/**
 * A whole server on a free port with its own clock and database: one process, or one per service behind a proxy if
 * PUFFTRACK_TEST_TARGETS is `split`. Tests do not depend on which.
 */
export interface TestApp {
  readonly url: string;
  /** Port of a separate listener for `/metrics`. */
  readonly metricsPort: number | undefined;
  readonly mongoUri: string;
  readonly clock: TestClock;
  readonly apple: AppleSimulator;
  /** Signs a person in; the same name is the same person. */
  person(name: string, options?: PersonOptions): Promise<Person>;
  /** A client without a token. */
  client(): Client;
  /** Runs the jobs that are due by the clock, or one job for any date. */
  readonly jobs: Servers['jobs'];
  /** Resolves when nothing is queued or in flight. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

export interface TestAppOptions {
  mongoUri?: string;
  /** Initial time of the clock. */
  now?: string;
  /** Shared by processes of one database. */
  redisUrl?: string;
  targets?: readonly TargetName[];
  log?: Logger;
  /** Jobs run by their schedule; by default a test runs them by name. */
  scheduledJobs?: boolean;
  edge?: Partial<AppConfig['edge']>;
  /** Receives pushes; without it nothing is pushed. */
  apns?: Pick<ApnsSimulator, 'baseUrl' | 'ca'>;
  deviceCheckMode?: AppConfig['apple']['deviceCheckMode'];
  /** Simulates event loop lag; by default there is none, however busy the machine is. */
  watchLag?: Parameters<typeof startApp>[0]['watchLag'];
  metrics?: Partial<AppConfig['metrics']>;
  /** How long requests and readiness wait for the database. */
  timeLimits?: Parameters<typeof startApp>[0]['timeLimits'];
  /** Whether the process polls for changed audiences; default true. */
  audiencePolling?: boolean;
  /** Shared by several processes of one world. */
  world?: { clock: TestClock; apple: AppleSimulator };
}

export const testClientId = 'app.pufftrack.test';
/** The simulator verifies client secrets without their signature. */
const testTeam = {
  teamId: 'SIMULATED0',
  keyId: 'TESTKEY000',
  privateKey: generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString(),
};
/** So long (ms) that a busy machine exceeds none of them. */
const patientAppleLimits = {
  keysMs: 600_000,
  newerKeysMs: 600_000,
  tokensMs: 600_000,
  deviceCheckMs: 600_000,
};
/** One key for all test servers, so that two of them can share a database. */
const masterKey = Buffer.alloc(32, 7);

export const startTestApp = async (options: TestAppOptions = {}): Promise<TestApp> => {
  const clock = options.world?.clock ?? createTestClock(options.now ?? '2026-10-21T10:00:00Z');
  const apple = options.world?.apple ?? (await startAppleSimulator({ now: () => clock.now() }));
  const mongoUri = options.mongoUri ?? ownDatabase();
  // All tests call from one address, so rate limits are high unless a test sets them.
  const edge = { trustedHops: 0, corsOrigins: [], rateLimitScale: 1_000, minAppBuild: 0, ...options.edge };
  const isSplit = options.targets === undefined && process.env['PUFFTRACK_TEST_TARGETS'] === 'split';
  const start: StartServer = (targets, proxies) =>
    startApp({
      config: {
        host: '127.0.0.1',
        port: 0,
        publicUrl: 'http://pufftrack.test',
        targets,
        mongoUri,
        redisUrl: options.redisUrl ?? (isSplit ? sharedRedis() : undefined),
        apple: {
          baseUrl: apple.baseUrl,
          issuers: ['https://appleid.apple.com', 'https://account.apple.com'],
          clientIds: [testClientId],
          team: testTeam,
          deviceCheckMode: options.deviceCheckMode ?? 'off',
          deviceCheckBaseUrl: apple.baseUrl,
          timeLimits: patientAppleLimits,
        },
        masterKey,
        apns: options.apns && {
          ...testTeam,
          topic: testClientId,
          baseUrl: options.apns.baseUrl,
          ca: options.apns.ca,
        },
        docs: true,
        metrics: { port: undefined, onApiListener: true, ...options.metrics },
        scheduledJobs: options.scheduledJobs ?? false,
        edge: { ...edge, trustedHops: edge.trustedHops + proxies },
        drainNoticeMs: 0,
      },
      clock,
      log: options.log ?? createLogger({ level: 'silent' }),
      validateAnswers: true,
      watchLag: options.watchLag ?? (() => () => undefined),
      ...(options.timeLimits && { timeLimits: options.timeLimits }),
      audiencePolling: options.audiencePolling ?? true,
    });
  const servers = await (isSplit
    ? startSplitServers(start)
    : startOneServer(start, options.targets ?? targetNames));
  const { url } = servers;
  const now = () => clock.now();
  const clients: Client[] = [];
  const newClient = () => {
    const client = createClient({ baseUrl: url, now });
    clients.push(client);
    return client;
  };
  return {
    url,
    metricsPort: servers.apps[0]?.metricsPort,
    mongoUri,
    clock,
    apple,
    person: (name, personOptions) =>
      signInPerson({ url, now, apple, clientId: testClientId, newClient }, name, personOptions),
    client: newClient,
    jobs: servers.jobs,
    drain: servers.drain,
    async close() {
      for (const client of clients) client.close();
      await servers.stop();
      if (!options.world) await apple.close();
    },
  };
};

const sharedRedis = (): string => {
  const url = process.env['PUFFTRACK_TEST_REDIS_URL'];
  if (url === undefined) throw new Error('PUFFTRACK_TEST_REDIS_URL is not set; run the tests with npm test');
  return url;
};

const ownDatabase = (): string => {
  const uri = process.env['PUFFTRACK_TEST_MONGODB_URI'];
  if (uri === undefined)
    throw new Error('PUFFTRACK_TEST_MONGODB_URI is not set; run the tests with npm test');
  const own = new URL(uri);
  own.pathname = `/test_${randomBytes(6).toString('hex')}`;
  return own.href;
};
