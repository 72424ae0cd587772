import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { targetNames } from '@pufftrack/server';
import { inTime, patienceMs, startTestApp, type Person, type TestApp } from '../src/index.ts';
import { closeSockets, eventOf, openSocket, outcomeOf, tokenOf } from './bare-sockets.ts';

/** First byte of a WebSocket close frame (RFC 6455 section 5.5.1). */
const closeFrame = 0x88;
afterEach(closeSockets);

describe('the edge', () => {
  let app: TestApp;
  let alice: Person;
  beforeAll(async () => {
    app = await startTestApp({
      edge: { corsOrigins: ['https://app.example.com'], minAppBuild: 200 },
    });
    alice = await app.person('alice');
  });
  afterAll(() => app.close());

  const call = (method: string, path: string, headers: Record<string, string> = {}, body?: object) =>
    fetch(`${app.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${tokenOf(alice)}`,
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    });

  it('sends the same headers from every door', async () => {
    const answers = {
      'GET /users/me': await call('GET', '/users/me'),
      'POST /puffs': await call('POST', '/puffs', {}, {}),
      'GET /nowhere': await call('GET', '/nowhere'),
      'GET /health/live': await call('GET', '/health/live'),
    };
    const changing = /^(date|x-request-id|content-length|ratelimit|connection|keep-alive|transfer-encoding)$/;
    const common = {
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'origin-agent-cluster': '?1',
      'referrer-policy': 'no-referrer',
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
      'x-content-type-options': 'nosniff',
      'x-dns-prefetch-control': 'off',
      'x-download-options': 'noopen',
      'x-frame-options': 'SAMEORIGIN',
      'x-permitted-cross-domain-policies': 'none',
      'x-xss-protection': '0',
    };
    const json = 'application/json; charset=utf-8';
    const expected: Record<string, object> = {
      'GET /users/me': { ...common, 'content-type': json, 'ratelimit-policy': '"read";q=600000;w=60' },
      'POST /puffs': { ...common, 'content-type': json, 'ratelimit-policy': '"puffs";q=600000;w=60' },
      'GET /nowhere': { ...common, 'content-type': 'application/problem+json; charset=utf-8' },
      'GET /health/live': { ...common, 'content-type': json },
    };
    for (const [address, { headers }] of Object.entries(answers)) {
      const steady = Object.fromEntries([...headers].filter(([name]) => !changing.test(name)));
      expect({ address, ...steady }).toEqual({ address, ...expected[address] });
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('tells an old app to update, but for signing in and what keeps its puffs (426)', async () => {
    const old = { 'x-app-build': '199' };
    const upgraded = await call('GET', '/users/me', old);
    expect(await upgraded.json()).toMatchObject({ status: 426, code: 'upgrade-required' });
    const served: [string, string, object?][] = [
      ['POST', '/puffs', {}],
      ['GET', '/config'],
      ['GET', '/auth/sessions'],
      ['POST', '/auth/apple/nonce'],
      ['GET', '/health/live'],
    ];
    for (const [method, path, body] of served) {
      const { status } = await call(method, path, old, body);
      expect({ path, served: status < 300 }).toEqual({ path, served: true });
    }
    for (const build of ['200', '1000', 'beta'])
      expect((await call('GET', '/users/me', { 'x-app-build': build })).status).toBe(200);
    expect((await call('GET', '/users/me')).status).toBe(200);
    expect(await app.client().call('getConfig')).toMatchObject({
      minAppBuild: 200,
      serverTime: '2026-10-21T10:00:00.000Z',
      limits: { puffsPerBatch: 1000, bodyBytes: 65_536, socketsPerPerson: 5 },
    });
  });

  it('lets pages of allowed origins read its answers, and no others', async () => {
    const preflight = (origin: string) =>
      call('OPTIONS', '/puffs', {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      });
    const allowed = await preflight('https://app.example.com');
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(allowed.headers.get('access-control-allow-headers')).toContain('Authorization');
    expect(allowed.headers.get('access-control-allow-credentials')).toBeNull();
    for (const origin of ['https://evil.example', 'https://app.example.com.evil.io', 'null']) {
      expect((await preflight(origin)).headers.get('access-control-allow-origin')).toBeNull();
      const answer = await call('GET', '/users/me', { origin });
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    }
    const read = await call('GET', '/users/me', { origin: 'https://app.example.com' });
    expect(read.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(read.headers.get('access-control-expose-headers')).toContain('RateLimit');
    expect(read.headers.get('vary')).toContain('Origin');
  });

  it('takes sockets of apps and of allowed pages, and of no other page (WS-1)', async () => {
    const auth = { token: tokenOf(alice) };
    const from = (origin?: string) => outcomeOf(openSocket(app, { auth, headers: origin ? { origin } : {} }));
    expect(await from()).toBe('connected');
    expect(await from('https://app.example.com')).toBe('connected');
    expect(await from(app.url)).toBe('connected');
    expect(await from('https://evil.example')).toBe('refused');
    for (const name of ['token', 'accessToken', 'access_token'])
      expect(await outcomeOf(openSocket(app, { auth, query: { [name]: auth.token } }))).toBe('refused');
  });

  it('closes a connection that shows no token within 5 s (WS-1)', async () => {
    const startedAt = performance.now();
    const closed = new Promise<number>((resolve, reject) => {
      const raw = connect(Number(new URL(app.url).port), '127.0.0.1');
      raw.write(
        'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n' +
          'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
      );
      raw.on('error', reject);
      raw.on('data', (bytes: Buffer) => {
        if (bytes[0] !== closeFrame) return;
        resolve(performance.now() - startedAt);
        raw.destroy();
      });
    });
    expect(await inTime('the connection is closed', closed)).toBeGreaterThan(4_000);
  });

  it('closes the connection of a socket that leaves, which no token would end (WS-2)', async () => {
    const socket = openSocket(app, { auth: { token: tokenOf(alice) } });
    await eventOf(socket, 'connect');
    const { engine } = socket.io;
    const closed = new Promise((resolve) => engine.once('close', resolve));
    // The packet that leaves a namespace; the library would close the connection by itself.
    engine.write('1');
    expect(await inTime('the connection is closed', closed)).toBe('transport close');
  });

  it('takes a frame of 64 KB, and closes a connection that sends one more byte (API-4)', async () => {
    const socket = openSocket(app, { auth: { token: tokenOf(alice) } });
    await eventOf(socket, 'ready');
    const { engine } = socket.io;
    /** Engine.IO puts one byte in front: a message; the first one here says that it is an event with ack 7. */
    const send = (bytes: number) => {
      const [head, tail] = ['27["no-such-event","', '"]'];
      engine.write(`${head}${'x'.repeat(bytes - 1 - head.length - tail.length)}${tail}`);
    };
    const answered = new Promise((resolve) => engine.once('data', resolve));
    send(65_536);
    expect(await answered).toMatch(/^37\[/);
    const closed = new Promise((resolve) => engine.once('close', resolve));
    send(65_537);
    expect(await inTime('the connection is closed', closed)).toBe('transport close');
  });

  it('keeps five sockets of a person, the oldest makes room (API-4)', async () => {
    const bob = await app.person('bob');
    const open = async () => {
      const socket = openSocket(app, { auth: { token: tokenOf(bob) } });
      await eventOf(socket, 'ready');
      return socket;
    };
    const first = await open();
    const ended = Promise.all([eventOf(first, 'serverDraining'), eventOf(first, 'disconnect')]);
    const others = [await open(), await open(), await open(), await open()];
    expect(first.connected).toBe(true);
    others.push(await open());
    expect(await ended).toEqual([{ reconnectAfterMs: 60_000 }, 'io server disconnect']);
    expect(others.map(({ connected }) => connected)).toEqual(Array(5).fill(true));
  });

  it('stays up whatever a socket sends (WS-4)', async () => {
    const socket = openSocket(app, { auth: { token: tokenOf(alice) } });
    await eventOf(socket, 'ready');
    const junk: unknown[] = [
      null,
      7,
      'x',
      [],
      { $ne: 1 },
      { a: { b: { c: [[[[[[[[1]]]]]]]] } } },
      { token: 7 },
    ];
    for (const event of ['puff', 'authenticate', 'undo', 'constructor', '__proto__', ''])
      for (const payload of junk) {
        socket.emit(event, payload); // without an ack
        socket.emit(event, payload, payload);
      }
    for (let sent = 0; sent < 10_000; sent++) socket.emit('no-such-event', sent);
    const bob = await app.person('bob');
    expect(await bob.client.call('getMe')).toMatchObject({ id: bob.userId });
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('a socket whose token has run out', () => {
  it('records nothing from that moment on', async () => {
    const app = await startTestApp();
    try {
      const alice = await app.person('alice');
      const socket = openSocket(app, { auth: { token: tokenOf(alice) } });
      await eventOf(socket, 'ready');
      const call = (event: string, payload: object) =>
        socket.timeout(patienceMs).emitWithAck(event, payload) as Promise<{ error?: { code: string } }>;
      app.clock.advance(15 * 60_000);
      const answer = await call('puff', {}).catch(() => ({ error: { code: 'closed' } }));
      // The look at all sockets may come first, and closes it.
      expect(['token-expired', 'closed']).toContain(answer.error?.code);
      app.clock.advance(-15 * 60_000);
      expect((await alice.client.call('getStats')).totalPuffCount).toBe(0);
    } finally {
      await app.close();
    }
  });
});

describe('more than the event loop can do (REL-10)', () => {
  it('is refused with 503 and Retry-After, on sockets too, but for health', async () => {
    let sample: (lagMs: number) => void = () => undefined;
    let stopped = false;
    const app = await startTestApp({
      // One process, whose loop it is.
      targets: targetNames,
      watchLag: (onSample) => {
        sample = onSample;
        return () => {
          stopped = true;
        };
      },
    });
    try {
      const alice = await app.person('alice');
      const socket = await alice.connect();
      const get = (path: string) =>
        fetch(`${app.url}${path}`, { headers: { authorization: `Bearer ${tokenOf(alice)}` } });
      for (const lagMs of [900, 900, 199, 201, 201]) sample(lagMs);
      expect((await get('/users/me')).status).toBe(200);
      sample(201);
      const refused = await get('/users/me');
      expect(refused.headers.get('retry-after')).toBe('1');
      expect(await refused.json()).toMatchObject({ status: 503, code: 'overloaded' });
      await expect(socket.puff()).rejects.toMatchObject({ code: 'overloaded' });
      expect(await outcomeOf(openSocket(app, { auth: { token: tokenOf(alice) } }))).toBe('refused');
      for (const path of ['/health/live', '/health/ready']) expect((await get(path)).status).toBe(200);
      const figures = await (await get('/metrics')).text();
      expect(figures).toContain('pufftrack_overloaded 1');
      expect(figures).toContain('pufftrack_shed_total 3');
      sample(0);
      expect((await get('/users/me')).status).toBe(200);
      await socket.puff();
      socket.close();
    } finally {
      await app.close();
    }
    expect(stopped).toBe(true);
  });
});
