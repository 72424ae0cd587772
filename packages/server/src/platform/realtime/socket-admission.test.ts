import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import type { Actor, Authenticate } from '../edge/actor.ts';
import { DomainError } from '../edge/errors.ts';
import { createRateLimits } from '../limits/rate-limits.ts';
import { createMemoryRateStore } from '../limits/rate-store.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createRealtime, noSockets, type RealtimeServer } from './socket-server.ts';

/** Of the form of an access token, with a wrong signature. */
const forged = `${'h'.repeat(60)}.${'p'.repeat(200)}.${'s'.repeat(86)}`;
const good = `good.${'p'.repeat(200)}.${'s'.repeat(86)}`;

let http: Server;
let realtime: RealtimeServer;
let url: string;
/** Tokens whose signature was verified. */
let verified: string[];
/** Resolves the verification that is under way. */
let finish: (() => void)[];

/** Upgrades: 60 a minute and address; refused tokens: 6. */
const start = async (options: { holdVerification?: boolean } = {}) => {
  http = createServer();
  verified = [];
  finish = [];
  const clock = { now: () => 0 };
  const metrics = createMetrics();
  const authenticate: Authenticate = async (token, beforeVerification): Promise<Actor> => {
    beforeVerification?.(token.startsWith('session') ? 'one' : undefined);
    verified.push(token);
    if (options.holdVerification === true) await new Promise<void>((resolve) => finish.push(resolve));
    if (token !== good) throw new DomainError('invalid-token');
    return { userId: 'ann', sessionId: 'one', expiresAt: 60_000 };
  };
  realtime = createRealtime({
    server: http,
    authenticate,
    limits: createRateLimits({
      store: createMemoryRateStore(),
      clock,
      scale: 0.02,
      metrics,
    }),
    isOriginAllowed: () => true,
    trustedHops: 0,
    rateScale: 1,
    clock,
    log: createLogger({ level: 'silent' }),
    metrics,
    phase: () => 'open',
    requireCapacity: () => undefined,
    requestDeadlineMs: 15_000,
    connectPacketMs: 5_000,
    events: [],
    places: undefined,
    everywhere: () => noSockets,
    onConnect: () => Promise.resolve(),
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/socket.io/?EIO=4&transport=websocket`;
};

const opened = async () => {
  const ws = new WebSocket(url);
  const texts: string[] = [];
  ws.on('message', (data: Buffer) => texts.push(data.toString()));
  const closed = once(ws, 'close') as Promise<[code: number]>;
  await once(ws, 'open');
  return { ws, texts, closed };
};
const connectPacket = (token: unknown) => `40${JSON.stringify({ token })}`;

afterEach(async () => {
  await realtime.close(0);
  http.closeAllConnections();
  await new Promise((resolve) => http.close(resolve));
});

describe('a connection that repeats its CONNECT', () => {
  it.each([
    ['while its token is verified', true],
    ['after a refusal', false],
  ])('%s has one token verified, and is closed', async (_when, holdVerification) => {
    await start({ holdVerification });
    const { ws, closed } = await opened();
    for (let sent = 0; sent < 20; sent++) ws.send(connectPacket(forged));
    await closed;
    finish.forEach((done) => {
      done();
    });
    expect(verified).toEqual([forged]);
  });

  it('is answered with the problem before it is closed', async () => {
    await start();
    const { ws, texts, closed } = await opened();
    ws.send(connectPacket(forged));
    await closed;
    expect(JSON.parse(texts.find((text) => text.startsWith('44'))?.slice(2) ?? '')).toMatchObject({
      data: { status: 401, code: 'invalid-token', requestId: expect.any(String) as unknown },
    });
  });
});

describe('no token', () => {
  beforeEach(() => start());

  it.each<[unknown]>([[7], [null], [[good]], [{ good }], [undefined]])(
    'is verified where the handshake has %j',
    async (token) => {
      const { ws, texts, closed } = await opened();
      ws.send(connectPacket(token));
      await closed;
      expect(texts.some((text) => text.startsWith('44'))).toBe(true);
      expect(verified).toEqual([]);
    },
  );
});

describe('refused tokens', () => {
  const attempt = async (token: string) => {
    const { ws, texts, closed } = await opened();
    ws.send(connectPacket(token));
    await closed;
    const problem = JSON.parse(texts.find((text) => text.startsWith('44'))?.slice(2) ?? '{}') as {
      data?: { code: string };
    };
    return problem.data?.code;
  };

  it('are no longer verified once their address has spent its budget', async () => {
    await start();
    const codes: (string | undefined)[] = [];
    for (let sent = 0; sent < 8; sent++) codes.push(await attempt(forged));
    expect(codes).toEqual([
      ...Array<string>(6).fill('invalid-token'),
      ...Array<string>(2).fill('rate-limited'),
    ]);
    expect(verified).toHaveLength(6);
  });

  it('of a proven session count for it, and of an address keep out none with a proven session', async () => {
    await start();
    const ofSession = `session.${'p'.repeat(200)}.s`;
    for (let sent = 0; sent < 6; sent++) await attempt(forged);
    expect(await attempt(forged)).toBe('rate-limited');
    verified = [];
    await attempt(ofSession);
    expect(verified).toEqual([ofSession]);
  });
});

it('a signed-in connection that connects again is closed', async () => {
  await start();
  const { ws, texts, closed } = await opened();
  ws.send(connectPacket(good));
  while (!texts.some((text) => text.startsWith('40'))) await once(ws, 'message');
  ws.send(connectPacket(good));
  const [code] = await closed;
  expect(code).toBe(1008);
  expect(verified).toEqual([good]);
});

it('the ping of a WebSocket is answered, before the sign-in and after it', async () => {
  await start();
  const { ws, texts } = await opened();
  const ping = async (text: string) => {
    ws.ping(text);
    const [data] = (await once(ws, 'pong')) as [Buffer];
    return data.toString();
  };
  expect(await ping('before')).toBe('before');
  ws.send(connectPacket(good));
  while (!texts.some((text) => text.startsWith('40'))) await once(ws, 'message');
  expect(await ping('after')).toBe('after');
  ws.terminate();
});
