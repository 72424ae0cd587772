import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import {
  startAppleSimulator,
  type AppleSimulator,
  type IdentityTokenOverrides,
} from '@pufftrack/apple-simulator';
import { inTime } from '@pufftrack/testkit/eventually';
import type { Connection } from 'mongoose';
import { io, type Socket } from 'socket.io-client';
import { startApp, type App, type AppConfig } from '../src/app/app.ts';
import { connectMongo } from '../src/platform/mongo/connect.ts';
import { createLogger } from '../src/platform/telemetry/logger.ts';
import type { AppleTimeLimits, AuthConfig } from '../src/services/auth/index.ts';
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

export interface AuthNodeOptions {
  config?: Partial<Pick<AppConfig, 'publicUrl' | 'masterKey' | 'previousMasterKey'>>;
  apple?: Partial<AppConfig['apple']>;
  /** Default: the database of the world. */
  uri?: string;
}

/** A server process with the targets auth, users and notifications. */
export interface AuthNode {
  readonly url: string;
  readonly app: App;
  /** For queries of the test. */
  readonly connection: Connection;
  /** Log lines, parsed. */
  readonly log: { event?: string; [field: string]: unknown }[];
  /** The metrics in the format of Prometheus. */
  metrics(): Promise<string>;
  post(path: string, body?: object, bearer?: string): Promise<Answer>;
  get(path: string, bearer?: string): Promise<Answer>;
  newNonce(): Promise<{ nonce: string; expiresAt: string }>;
  /** Signs in as the app does: nonce, Apple's sheet, `POST /auth/apple`. */
  signIn(person: string, extra?: object): Promise<Answer>;
  /** Deletes the account that an answer of `signIn` belongs to. */
  deleteAccount(signedIn: Answer): Promise<Answer>;
  /** Opens a socket; `ended` resolves with the payload of its `sessionEnded`. */
  openSocket(token: string): Promise<{ ended: Promise<unknown> }>;
  stop(): Promise<void>;
}

/** Apple, a manual clock and a database for any number of server processes. */
export interface AuthWorld {
  readonly apple: AppleSimulator;
  readonly clock: { now: () => number; advance: (ms: number) => void };
  readonly uri: string;
  node(options?: AuthNodeOptions): Promise<AuthNode>;
  /**
   * Resolves when every notification of Apple is applied and every grant revoked. The clock advances for retries, by half a
   * minute at most.
   */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** The body of a first sign-in needs it. */
export const adult = { ageBand: '18+' };

/** Longer than any delay of a busy machine. */
export const patientAppleLimits: AppleTimeLimits = {
  keysMs: 600_000,
  newerKeysMs: 600_000,
  tokensMs: 600_000,
  deviceCheckMs: 600_000,
};

export const startAuthWorld = async (): Promise<AuthWorld> => {
  let now = Date.parse('2026-10-21T10:00:00Z');
  const clock = { now: () => now, advance: (ms: number) => void (now += ms) };
  const apple = await startAppleSimulator({
    now: clock.now,
    teamId: team.teamId,
    clientSecretKey: teamKey.publicKey,
  });
  const uri = testDatabaseUri();
  const connection = await connectMongo(uri);
  const nodes: AuthNode[] = [];
  return {
    apple,
    clock,
    uri,
    async node(options = {}) {
      const node = await startNode({ apple, clock, uri }, options);
      nodes.push(node);
      return node;
    },
    async drain() {
      for (let tries = 0; tries < 5; tries++) {
        await Promise.all(nodes.map((node) => node.app.drain()));
        if ((await countPending(connection)) === 0) return;
        now += 7_000;
      }
    },
    async close() {
      for (const node of nodes) await node.stop();
      await connection.dropDatabase();
      await connection.close();
      await apple.close();
    },
  };
};

/** Starts a world with one process before the tests of a file or group, and closes it after them. */
export const useAuthWorld = (
  onStarted: (started: { world: AuthWorld; node: AuthNode }) => void,
  options: AuthNodeOptions = {},
): void => {
  let world: AuthWorld;
  beforeAll(async () => {
    world = await startAuthWorld();
    onStarted({ world, node: await world.node(options) });
  });
  afterAll(() => world.close());
};

const countPending = async (connection: Connection): Promise<number> => {
  const counts = await Promise.all(
    ['applenotifications', 'applerevocations'].map((name) =>
      connection.collection(name).countDocuments({ payload: { $ne: null } }),
    ),
  );
  return counts.reduce((sum, count) => sum + count, 0);
};

const startNode = async (
  { apple, clock, uri: ownUri }: Pick<AuthWorld, 'apple' | 'clock' | 'uri'>,
  { uri = ownUri, config, apple: appleConfig }: AuthNodeOptions,
): Promise<AuthNode> => {
  const lines: AuthNode['log'] = [];
  const app = await startApp({
    config: {
      host: '127.0.0.1',
      port: 0,
      publicUrl,
      targets: ['auth', 'users', 'notifications'],
      mongoUri: uri,
      redisUrl: undefined,
      apple: {
        baseUrl: apple.baseUrl,
        issuers: ['https://appleid.apple.com', 'https://account.apple.com'],
        clientIds: [clientId],
        team,
        deviceCheckMode: 'off',
        deviceCheckBaseUrl: apple.baseUrl,
        timeLimits: patientAppleLimits,
        ...appleConfig,
      },
      masterKey,
      apns: undefined,
      docs: false,
      metrics: { port: undefined, onApiListener: true },
      scheduledJobs: false,
      edge: { trustedHops: 0, corsOrigins: [], rateLimitScale: 1_000, minAppBuild: 0 },
      drainNoticeMs: 0,
      ...config,
    },
    clock,
    log: createLogger({
      level: 'debug',
      destination: { write: (line: string) => void lines.push(JSON.parse(line) as { event?: string }) },
    }),
    validateAnswers: true,
    watchLag: () => () => undefined,
  });
  const connection = await connectMongo(uri);
  const url = `http://127.0.0.1:${app.port}`;

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

  const newNonce = async () => (await post('/auth/apple/nonce')).body as { nonce: string; expiresAt: string };

  const sockets: Socket[] = [];
  const openSocket: AuthNode['openSocket'] = async (token) => {
    const socket = io(url, {
      auth: { token },
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
    });
    sockets.push(socket);
    const next = (event: string) => inTime(event, new Promise((resolve) => socket.once(event, resolve)));
    const ended = next('sessionEnded');
    await next('ready');
    return { ended };
  };

  let stopped: Promise<void> | undefined;
  const stop = async () => {
    for (const socket of sockets) socket.disconnect();
    await app.stop();
    await connection.close();
  };
  return {
    url,
    app,
    connection,
    log: lines,
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
    post,
    get: (path, bearer) => send(path, {}, bearer),
    async signIn(person, extra = adult) {
      const { nonce } = await newNonce();
      const sheet = await apple.authorize({ person, clientId, nonce: sha256Hex(nonce) });
      const { identityToken, authorizationCode } = sheet;
      return post('/auth/apple', { identityToken, authorizationCode, nonce, ...extra });
    },
    deleteAccount: (signedIn) =>
      send('/users/me', { method: 'DELETE' }, signedIn.body['accessToken'] as string),
    newNonce,
    openSocket,
    stop: () => (stopped ??= stop()),
  };
};

/** An identity token for `nonce` that is valid but for the overrides. */
export const mintToken = (
  { apple }: Pick<AuthWorld, 'apple'>,
  nonce: string,
  over: Partial<IdentityTokenOverrides> = {},
  sub = newPerson(),
): Promise<string> =>
  apple.mintIdentityToken({
    ...over,
    claims: { aud: clientId, sub, nonce: sha256Hex(nonce), ...over.claims },
  });

/** A person that no other test uses. */
export const newPerson = (): string => `person-${randomBytes(6).toString('hex')}`;

/** For a test that builds the service itself. */
export const unusedConfig: AuthConfig = {
  appleBaseUrl: 'http://127.0.0.1:9',
  appleIssuers: ['https://appleid.apple.com'],
  appleClientIds: [],
  appleTeam: undefined,
  deviceCheckMode: 'off',
  deviceCheckBaseUrl: 'http://127.0.0.1:9',
  publicUrl,
  masterKey,
};
