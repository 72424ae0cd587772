import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { startAppleSimulator, type AppleSimulator } from '@pufftrack/apple-simulator';
import { createClient, type Client } from '@pufftrack/client';
import {
  createLogger,
  startApp,
  targetNames,
  type App,
  type AppConfig,
  type Logger,
  type TargetName,
} from '@pufftrack/server';
import { signInPerson, type Person, type PersonOptions } from './person.ts';
import { createTestClock, type TestClock } from './test-clock.ts';

/** A whole server on a free port, with a clock of its own, on a database of its own. */
export interface TestApp {
  readonly url: string;
  /** Where `/metrics` has a listener of its own. */
  readonly metricsPort: number | undefined;
  readonly mongoUri: string;
  readonly clock: TestClock;
  readonly apple: AppleSimulator;
  /** Signs somebody in; the same name is the same person. */
  person(name: string, options?: PersonOptions): Promise<Person>;
  /** Nobody: a client without a token. */
  client(): Client;
  /** Runs jobs: what is due at the clock's time, or one for any date. */
  readonly jobs: App['jobs'];
  /** Resolves when nothing is queued or under way. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export interface TestAppOptions {
  mongoUri?: string;
  /** Where the clock stands at first. */
  now?: string;
  targets?: readonly TargetName[];
  log?: Logger;
  /** Jobs run by themselves; a test runs what it needs by name otherwise. */
  scheduledJobs?: boolean;
  edge?: Partial<AppConfig['edge']>;
  deviceCheckMode?: AppConfig['apple']['deviceCheckMode'];
  /** Whether the event loop is late; never unless told, however busy the machine is. */
  watchLag?: Parameters<typeof startApp>[0]['watchLag'];
  metrics?: Partial<AppConfig['metrics']>;
  /** Shared by several processes of one world. */
  world?: { clock: TestClock; apple: AppleSimulator };
}

export const testClientId = 'app.pufftrack.test';
/** The simulator checks everything of a client secret but its signature. */
const testTeam = {
  teamId: 'SIMULATED0',
  keyId: 'TESTKEY000',
  privateKey: generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString(),
};
/** One key for all test servers, so that two of them can share a database. */
const masterKey = Buffer.alloc(32, 7);

export const startTestApp = async (options: TestAppOptions = {}): Promise<TestApp> => {
  const clock = options.world?.clock ?? createTestClock(options.now ?? '2026-10-21T10:00:00Z');
  const apple = options.world?.apple ?? (await startAppleSimulator({ now: () => clock.now() }));
  const mongoUri = options.mongoUri ?? ownDatabase();
  const app = await startApp({
    config: {
      host: '127.0.0.1',
      port: 0,
      publicUrl: 'http://pufftrack.test',
      targets: options.targets ?? targetNames,
      mongoUri,
      apple: {
        baseUrl: apple.baseUrl,
        issuers: ['https://appleid.apple.com', 'https://account.apple.com'],
        clientIds: [testClientId],
        team: testTeam,
        deviceCheckMode: options.deviceCheckMode ?? 'off',
        deviceCheckBaseUrl: apple.baseUrl,
      },
      masterKey,
      docs: true,
      metrics: { port: undefined, onApiListener: true, ...options.metrics },
      scheduledJobs: options.scheduledJobs ?? false,
      // Tests call from one address, and as often as they like, unless the limits are what they test.
      edge: { trustedHops: 0, corsOrigins: [], rateLimitScale: 1_000, minAppBuild: 0, ...options.edge },
      drainNoticeMs: 0,
    },
    clock,
    log: options.log ?? createLogger({ level: 'silent' }),
    validateAnswers: true,
    watchLag: options.watchLag ?? (() => () => undefined),
  });
  const url = `http://127.0.0.1:${app.port}`;
  const now = () => clock.now();
  const clients: Client[] = [];
  const newClient = () => {
    const client = createClient({ baseUrl: url, now });
    clients.push(client);
    return client;
  };
  return {
    url,
    metricsPort: app.metricsPort,
    mongoUri,
    clock,
    apple,
    person: (name, personOptions) =>
      signInPerson({ url, now, apple, clientId: testClientId, newClient }, name, personOptions),
    client: newClient,
    jobs: app.jobs,
    settle: app.settle,
    async close() {
      for (const client of clients) client.close();
      await app.stop();
      if (!options.world) await apple.close();
    },
  };
};

const ownDatabase = (): string => {
  const uri = process.env['PUFFTRACK_TEST_MONGODB_URI'];
  if (uri === undefined)
    throw new Error('PUFFTRACK_TEST_MONGODB_URI is not set; run the tests with npm test');
  const own = new URL(uri);
  own.pathname = `/test_${randomBytes(6).toString('hex')}`;
  return own.href;
};
