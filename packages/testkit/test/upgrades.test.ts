// @not-split: checks the answers of one process without a proxy
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { targetNames } from '@pufftrack/server';
import { socketPath, startTestApp, upgrade, type RawAnswer, type TestApp } from '../src/index.ts';

const webSocketOnly = "transports: ['websocket']";
const open: { raw: { destroy(): unknown } }[] = [];
let app: TestApp;
/** Host and port of the server. */
let host: string;
beforeAll(async () => {
  // One process: what it answers by itself, and not what a proxy makes of it.
  app = await startTestApp({ targets: targetNames, edge: { corsOrigins: ['https://app.example.com'] } });
  ({ host } = new URL(app.url));
});
afterAll(() => app.close());
afterEach(() => {
  for (const { raw } of open.splice(0)) raw.destroy();
});

const answerTo = async (options: Parameters<typeof upgrade>[1]): Promise<RawAnswer> => {
  const socket = await upgrade(app.url, options);
  open.push(socket);
  return socket.answer;
};

const expectProblem = ({ status, headers, body }: RawAnswer, expected: object) => {
  const problem = JSON.parse(body) as { requestId: string };
  expect(problem).toMatchObject({ status, ...expected });
  expect(headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(headers['x-request-id']).toBe(problem.requestId);
  expect(problem.requestId).toMatch(/^[0-9a-f-]{36}$/);
};

describe('an upgrade of a native client', () => {
  it.each<[origin: string | undefined, hostHeader: string]>([
    [undefined, '{host}'],
    ['ws://{host}', '{host}'],
    ['wss://{host}', '{host}'],
    ['http://{host}', '{host}'],
    ['WS://{host}', '{host}'],
    ['wss://api.test', 'api.test'],
    ['wss://api.test', 'api.test:443'],
    ['wss://api.test:443', 'api.test'],
    ['ws://api.test:80', 'api.test'],
    ['ws://API.test', 'api.TEST'],
    ['ws://[::1]:3000', '[::1]:3000'],
    ['ws://pufftrack.test', 'backend:8080'],
    ['https://app.example.com', '{host}'],
    ['wss://app.example.com', '{host}'],
  ])('with Origin %s and Host %s is accepted', async (origin, hostHeader) => {
    const answer = await answerTo({
      headers: { Host: hostHeader.replace('{host}', host), Origin: origin?.replace('{host}', host) },
    });
    expect(answer.status).toBe(101);
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each([
    ['https://evil.example', '{host}'],
    ['wss://evil.example', '{host}'],
    ['wss://api.test.evil.example', 'api.test'],
    ['ws://api.test:81', 'api.test'],
    ['wss://api.test:80', 'api.test'],
    ['null', '{host}'],
    ['', '{host}'],
    ['rubbish', '{host}'],
    ['ws://{host}/path', '{host}'],
    ['ws://user@{host}', '{host}'],
    ['ws://{host}, ws://{host}', '{host}'],
  ])('with Origin %j and Host %s is refused by a problem', async (origin, hostHeader) => {
    const answer = await answerTo({
      headers: { Host: hostHeader.replace('{host}', host), Origin: origin.replaceAll('{host}', host) },
    });
    expect(answer.status).toBe(403);
    expectProblem(answer, { code: 'origin-not-allowed' });
  });
});

describe('what Socket.IO cannot open', () => {
  it.each<[what: string, path: string, detail: string]>([
    ['EIO=3', '/socket.io/?EIO=3&transport=websocket', 'version 3 or 4'],
    ['no EIO', '/socket.io/?transport=websocket', 'EIO=4'],
    ['EIO=5', '/socket.io/?EIO=5&transport=websocket', 'EIO=4'],
    ['two of EIO', '/socket.io/?EIO=4&EIO=3&transport=websocket', 'EIO=4'],
    ['polling', '/socket.io/?EIO=4&transport=polling', 'polling is refused'],
    ['no transport', '/socket.io/?EIO=4', 'polling is refused'],
    ['no query', '/socket.io', 'EIO=4'],
    ['an unknown transport', '/socket.io/?EIO=4&transport=webtransport', 'polling is refused'],
    ['an unknown session', '/socket.io/?EIO=4&transport=websocket&sid=AAAAAAAAAAAAAAAAAAAA', 'sid'],
    ['a prototype as session', '/socket.io/?EIO=4&transport=websocket&sid=__proto__', 'sid'],
  ])('%s is refused before the upgrade, and over plain HTTP alike', async (_what, path, detail) => {
    const answer = await answerTo({ path });
    expect(answer.status).toBe(400);
    const code = 'malformed';
    expectProblem(answer, { code, detail: expect.stringContaining(detail) as unknown });
    expectProblem(answer, { code, detail: expect.stringContaining(webSocketOnly) as unknown });
    const plain = await fetch(`${app.url}${path}`);
    expectProblem(
      {
        status: plain.status,
        headers: Object.fromEntries(plain.headers),
        body: await plain.text(),
      },
      { code, status: 400, detail: expect.stringContaining(webSocketOnly) as unknown },
    );
  });

  it.each<[what: string, path: string, options: object, expected: object]>([
    ['another method', socketPath, { method: 'POST' }, { status: 405, code: 'method-not-allowed' }],
    ['another path', '/nowhere', {}, { status: 404, code: 'not-found' }],
    ['a path below', '/socket.io/x?EIO=4&transport=websocket', {}, { status: 404, code: 'not-found' }],
    ['a path of REST', '/users/me', {}, { status: 401, code: 'unauthenticated' }],
    ['a URL that is none', '//', {}, { status: 404, code: 'not-found' }],
    ['a token in the URL', `${socketPath}&token=x`, {}, { status: 401, code: 'unauthenticated' }],
    ['another upgrade', socketPath, { headers: { Upgrade: 'h2c' } }, { status: 400, code: 'malformed' }],
    [
      'no key',
      socketPath,
      { headers: { 'Sec-WebSocket-Key': undefined } },
      { status: 400, code: 'malformed' },
    ],
    ['a bad key', socketPath, { headers: { 'Sec-WebSocket-Key': 'x' } }, { status: 400, code: 'malformed' }],
    [
      'a bad version',
      socketPath,
      { headers: { 'Sec-WebSocket-Version': '7' } },
      { status: 400, code: 'malformed' },
    ],
    [
      'a bad subprotocol',
      socketPath,
      { headers: { 'Sec-WebSocket-Protocol': ',' } },
      { status: 400, code: 'malformed' },
    ],
  ])('%s is answered by a problem', async (_what, path, options, expected) => {
    expectProblem(await answerTo({ path, ...options }), expected);
  });

  it.each(['GET', 'POST', 'PUT', 'DELETE'])(
    'a %s of a polling client is answered by a problem',
    async (method) => {
      for (const sid of ['', '&sid=unknown']) {
        const answer = await fetch(`${app.url}/socket.io/?EIO=4&transport=polling${sid}`, { method });
        expect(answer.status).toBe(400);
        expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
        expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
        expect(answer.headers.get('x-request-id')).not.toBeNull();
        expect(await answer.json()).toMatchObject({
          detail: expect.stringContaining(webSocketOnly) as unknown,
        });
      }
    },
  );
});

describe('upgrades of one address', () => {
  it('are counted before anything else is done for them', async () => {
    // 15 a minute.
    const limited = await startTestApp({
      targets: targetNames,
      edge: { rateLimitScale: 0.005, trustedHops: 1 },
    });
    try {
      const from = async (address: string) => {
        const socket = await upgrade(limited.url, { headers: { 'X-Forwarded-For': address } });
        open.push(socket);
        return socket.answer;
      };
      for (let attempt = 0; attempt < 15; attempt++)
        expect((await from(`2001:db8:1:2::${attempt}`)).status).toBe(101);
      const refused = await from('2001:db8:1:2:3::4');
      expect(refused.status).toBe(429);
      expectProblem(refused, { code: 'rate-limited' });
      expect(refused.headers['retry-after']).toBe('60');
      expect((await from('2001:db8:1:3::1')).status).toBe(101);
      limited.clock.advance(60_000);
      expect((await from('2001:db8:1:2::1')).status).toBe(101);
    } finally {
      await limited.close();
    }
  });
});

it('an upgrade at a process without sockets is answered, with and without a warning of an untrusted proxy', async () => {
  const alone = await startTestApp({ targets: ['auth'] });
  try {
    for (const headers of [{}, { 'X-Forwarded-For': '203.0.113.7' }, {}]) {
      const socket = await upgrade(alone.url, { headers });
      open.push(socket);
      expectProblem(socket.answer, { status: 404, code: 'not-found' });
    }
  } finally {
    await alone.close();
  }
});
