import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { startAppleSimulator, type AppleSimulator } from '@pufftrack/apple-simulator';
import type { Connection } from 'mongoose';
import { noBus } from '../src/platform/bus/bus.ts';
import { requestDeadlineMs } from '../src/platform/concurrency/deadline.ts';
import { originRule } from '../src/platform/edge/origins.ts';
import { createHttpServer } from '../src/platform/http/server.ts';
import { createHttpMetrics } from '../src/platform/http/http-metrics.ts';
import { createRateLimits } from '../src/platform/limits/rate-limits.ts';
import { createMemoryRateStore } from '../src/platform/limits/rate-store.ts';
import { createLogger } from '../src/platform/telemetry/logger.ts';
import { connectMongo } from '../src/platform/mongo/connect.ts';
import { createMetrics } from '../src/platform/telemetry/metrics.ts';
import { isKnownZone } from '../src/domain/time-zones.ts';
import {
  createAuth,
  type AppleTimeLimits,
  type Auth,
  type AuthConfig,
  type SessionEnded,
} from '../src/services/auth/index.ts';
import { createUsers } from '../src/services/users/index.ts';
import { testDatabaseUri } from './database.ts';

export const clientId = 'app.pufftrack.test';
export const publicUrl = 'https://api.pufftrack.test';
const teamKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const team = {
  teamId: 'TEAM000001',
  keyId: 'KEY0000001',
  privateKey: teamKey.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
};
export const masterKey = Buffer.alloc(32, 7);
export const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex');

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown> & { code?: string };
}

/** One process: auth and users behind real HTTP, on a connection of its own. */
export interface AuthNode {
  readonly url: string;
  readonly auth: Auth;
  readonly connection: Connection;
  /** What sockets would have been told. */
  readonly ended: SessionEnded[];
  /** Log lines, parsed. */
  readonly log: { event?: string; [field: string]: unknown }[];
  /** The metrics of this process, as Prometheus gets them. */
  figures(): Promise<string>;
  post(path: string, body?: object, bearer?: string): Promise<Answer>;
  get(path: string, bearer?: string): Promise<Answer>;
  /** The whole way of a phone: nonce, Apple's sheet, our sign-in. */
  signIn(person: string, extra?: object): Promise<Answer>;
  stop(): Promise<void>;
}

/** Apple, a clock that stands until it is moved, and a database, for as many processes as a test needs. */
export interface AuthWorld {
  readonly apple: AppleSimulator;
  readonly clock: { now: () => number; advance: (ms: number) => void };
  readonly uri: string;
  node(options?: { config?: Partial<AuthConfig>; uri?: string }): Promise<AuthNode>;
  /**
   * Resolves when what Apple said and what Apple has to be told is done, whichever process had it in hand. An attempt that
   * failed on a busy machine gets its retry: the clock moves on for it, by half a minute at most.
   */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** So long that a busy machine exceeds none of them. */
export const patientAppleLimits: AppleTimeLimits = {
  keysMs: 600_000,
  newerKeysMs: 600_000,
  tokensMs: 600_000,
  deviceCheckMs: 600_000,
};

/** What a first sign-in has to say. */
export const adult = { ageBand: '18+' };

export const startAuthWorld = async (): Promise<AuthWorld> => {
  let now = Date.parse('2026-10-21T10:00:00Z');
  const clock = { now: () => now, advance: (ms: number) => void (now += ms) };
  const apple = await startAppleSimulator({
    now: clock.now,
    teamId: team.teamId,
    clientSecretKey: teamKey.publicKey,
  });
  const uri = testDatabaseUri();
  const nodes: AuthNode[] = [];
  return {
    apple,
    clock,
    uri,
    async node(options = {}) {
      const node = await startNode({ apple, clock, uri: options.uri ?? uri, config: options.config });
      nodes.push(node);
      return node;
    },
    async settle() {
      for (let tries = 0; tries < 5; tries++) {
        await Promise.all(nodes.map((node) => node.auth.drain()));
        if ((await countPromised(uri)) === 0) return;
        now += 7_000;
      }
    },
    async close() {
      for (const node of nodes) await node.stop();
      const connection = await connectMongo(uri);
      await connection.dropDatabase();
      await connection.close();
      await apple.close();
    },
  };
};

/** Jobs of the outboxes that are not done. */
const countPromised = async (uri: string): Promise<number> => {
  const connection = await connectMongo(uri);
  try {
    const counts = await Promise.all(
      ['applenotifications', 'applerevocations'].map((name) =>
        connection.collection(name).countDocuments({ payload: { $ne: null } }),
      ),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  } finally {
    await connection.close();
  }
};

const startNode = async (world: {
  apple: AppleSimulator;
  clock: { now: () => number };
  uri: string;
  config: Partial<AuthConfig> | undefined;
}): Promise<AuthNode> => {
  const { apple, clock } = world;
  const connection = await connectMongo(world.uri);
  const ended: SessionEnded[] = [];
  const lines: AuthNode['log'] = [];
  const log = createLogger({
    level: 'debug',
    destination: { write: (line: string) => void lines.push(JSON.parse(line) as { event?: string }) },
  });
  const users = createUsers({
    connection,
    clock,
    log,
    publicUrl: 'http://pufftrack.test',
    masterKey,
    closing: () => auth.closing,
    personalData: () => [auth.closing],
    isKnownZone,
    live: {
      setAudience: () => {},
      setSources: () => {},
      openPeople: () => [],
      friendUpdated: () => {},
      friendRemoved: () => {},
    },
    findMuteAll: () => Promise.resolve(new Map()),
    notify: () => Promise.resolve(),
    hideName: () => Promise.resolve(),
    endCheers: () => Promise.resolve(),
    summaries: () => Promise.resolve(new Map()),
    onProfileChanged: () => Promise.resolve(),
    drainWrites: () => Promise.resolve(),
    onSettingsChanged: () => {},
    onAudienceChanged: () => {},
  });
  const metrics = createMetrics();
  const auth = createAuth({
    connection,
    clock,
    log,
    metrics,
    accounts: users.accounts,
    inbox: { notify: () => Promise.resolve() },
    devices: { moveDevices: () => Promise.resolve() },
    sockets: { openSessions: () => [], sessionEnded: (session) => void ended.push(session) },
    config: {
      appleBaseUrl: apple.baseUrl,
      appleIssuers: ['https://appleid.apple.com', 'https://account.apple.com'],
      appleClientIds: [clientId],
      appleTeam: team,
      deviceCheckMode: 'off',
      deviceCheckBaseUrl: apple.baseUrl,
      appleTimeLimits: patientAppleLimits,
      publicUrl,
      masterKey,
      ...world.config,
    },
  });
  const server = createHttpServer({
    routes: [...auth.routes, ...users.routes],
    pages: [],
    authenticate: auth.authenticate,
    requireFreshSignIn: auth.requireFreshSignIn,
    limits: createRateLimits({ store: createMemoryRateStore(), clock, scale: 1_000, metrics }),
    mayCall: originRule([], 'http://pufftrack.test'),
    hasSockets: false,
    trustedHops: 0,
    minAppBuild: 0,
    log,
    announced: noBus.announced,
    metrics: createHttpMetrics(metrics),
    connectionMetrics: metrics,
    validateAnswers: true,
    phase: () => 'open',
    requireCapacity: () => undefined,
    requestDeadlineMs,
  });
  try {
    await users.ensureIndexes();
    await auth.ensureIndexes();
    await auth.start();
  } catch (error) {
    await connection.close();
    throw error;
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const send = async (path: string, init: RequestInit, bearer?: string): Promise<Answer> => {
    const headers = new Headers(init.headers);
    if (bearer !== undefined) headers.set('authorization', `Bearer ${bearer}`);
    const response = await fetch(`${url}${path}`, { ...init, headers });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? {} : JSON.parse(text)) as Answer['body'],
    };
  };
  const post: AuthNode['post'] = (path, body, bearer) =>
    send(
      path,
      {
        method: 'POST',
        ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      },
      bearer,
    );

  let stopped: Promise<void> | undefined;
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await auth.stop();
    await connection.close();
  };
  return {
    url,
    auth,
    connection,
    ended,
    log: lines,
    figures: metrics.text,
    post,
    get: (path, bearer) => send(path, {}, bearer),
    async signIn(person, extra = adult) {
      const { nonce } = (await post('/auth/apple/nonce')).body as { nonce: string };
      const sheet = await apple.authorize({ person, clientId, nonce: sha256Hex(nonce) });
      const { identityToken, authorizationCode } = sheet;
      return post('/auth/apple', { identityToken, authorizationCode, nonce, ...extra });
    },
    stop: () => (stopped ??= stop()),
  };
};

/** Somebody whom no other test has seen. */
export const somebody = (): string => `person-${randomBytes(6).toString('hex')}`;
