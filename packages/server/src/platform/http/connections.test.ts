import { afterEach, describe, expect, it } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { createMetrics } from '../telemetry/metrics.ts';
import { DomainError } from '../edge/errors.ts';
import { readJsonBody } from './body.ts';
import { defaultConnectionLimits, guardConnections, type ConnectionLimits } from './connections.ts';

/** No check but those that the test makes. */
const never = 2 ** 30;
const servers: Server[] = [];
const clients: Socket[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A server whose time is the test's. It answers a body by its length, and one that fails by the problem's status. */
const start = async (limits: Partial<ConnectionLimits> = {}, trustedHops = 0) => {
  const metrics = createMetrics();
  let answersHeld = false;
  const server = createServer(
    { keepAliveTimeout: never, headersTimeout: 0, requestTimeout: 0 },
    (req, res) => {
      guard.began({ req, res });
      if (req.url === '/large') {
        res.end(Buffer.alloc(64 * 1024 * 1024));
        return;
      }
      if (req.url === '/unread') {
        res.end('unread');
        return;
      }
      if (answersHeld) return;
      readJsonBody(req, 1_000_000).then(
        (body) => res.end(JSON.stringify(body ?? {})),
        (error: unknown) => {
          res.statusCode = error instanceof DomainError && error.code === 'request-timeout' ? 408 : 400;
          res.setHeader('Connection', 'close');
          res.end();
        },
      );
    },
  );
  const guard = guardConnections(server, {
    limits: { ...defaultConnectionLimits, checkEveryMs: never, ...limits },
    hasSockets: true,
    trustedHops,
    metrics,
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted: Socket[] = [];
  server.on('connection', (socket: Socket) => accepted.push(socket));
  const { port } = server.address() as AddressInfo;

  const open = async (localAddress = '127.0.0.1') => {
    const count = accepted.length;
    const socket = connect({ port, host: '127.0.0.1', localAddress }).setEncoding('latin1');
    clients.push(socket);
    let text = '';
    let isClosed = false;
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', () => undefined);
    const closed = once(socket, 'close').then(() => (isClosed = true));
    await until(() => accepted.length > count);
    const own = accepted[count];
    if (!own) throw new Error('not accepted');
    let sent = 0;
    return {
      closed,
      isClosed: () => isClosed,
      text: () => text,
      isOpen: () => !own.destroyed,
      /** Reads nothing any more. */
      stall: () => void socket.pause(),
      /** Resolves when the server has read it. */
      async send(bytes: string) {
        socket.write(bytes);
        sent += Buffer.byteLength(bytes);
        await until(() => own.bytesRead >= sent || own.destroyed);
        await setImmediate();
      },
      answered: (marker = 'HTTP/1.1') => until(() => text.includes(marker)),
    };
  };
  return {
    open,
    accepted,
    check: guard.check,
    figures: metrics.text,
    holdAnswers: () => (answersHeld = true),
  };
};

const until = async (holds: () => boolean) => {
  while (!holds()) await setImmediate();
};

const headersOf = (length: number) =>
  `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;

describe('a body', () => {
  it('of 100 KB is read at 2 KB/s, which takes 50 s', async () => {
    const { open, check } = await start();
    const client = await open();
    const body = `{"a":"${'x'.repeat(102_400 - 8)}"}`;
    await client.send(headersOf(body.length));
    let now = 0;
    check(now);
    for (let at = 0; at < body.length; at += 4_096) {
      await client.send(body.slice(at, at + 4_096));
      check((now += 2_000));
    }
    expect(now).toBe(50_000);
    await client.answered();
    expect(client.text()).toMatch(/^HTTP\/1.1 200/);
  });

  it.each([
    ['stops', 0],
    ['drips', 16],
  ])('that %s is answered 408, and its connection closes', async (_name, bytes) => {
    const { open, check, figures } = await start();
    const client = await open();
    await client.send(headersOf(50_000));
    await client.send(`{"a":"${'x'.repeat(20_000)}`);
    let now = 0;
    check(now);
    for (let step = 0; step < 4; step++) {
      if (bytes > 0) await client.send('x'.repeat(bytes));
      check((now += 2_000));
    }
    expect(client.isOpen()).toBe(true);
    check((now += 2_000));
    // What drips has earned some more milliseconds.
    if (bytes > 0) check(now + 2_000);
    await client.closed;
    expect(client.text()).toMatch(/^HTTP\/1.1 408/);
    expect(await figures()).toContain('connections_cut_total{reason="body"} 1');
  });

  it('of any rate ends after 5 minutes', async () => {
    const { open, check } = await start();
    const client = await open();
    await client.send(headersOf(900_000));
    await client.send('{"a":"');
    check(0);
    let now = 0;
    while (now < 298_000) {
      await client.send('x'.repeat(4_096));
      check((now += 2_000));
    }
    expect(client.text()).toBe('');
    check(now + 2_000);
    await client.closed;
    expect(client.text()).toMatch(/^HTTP\/1.1 408/);
  });

  it('that is not wanted is read for 15 s after its answer', async () => {
    const { open, check } = await start();
    const client = await open();
    await client.send(headersOf(900_000).replace('POST /', 'POST /unread'));
    await client.answered();
    check(0);
    await client.send('x'.repeat(100_000));
    check(14_000);
    expect(client.isOpen()).toBe(true);
    check(15_000);
    await client.closed;
  });
});

describe('a connection that is kept alive', () => {
  it('closes 10 s after bytes that never become a request', async () => {
    const { open, check } = await start();
    const client = await open();
    await client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.answered();
    check(0);
    await client.send('\r\n');
    let now = 0;
    while (now < 10_000) {
      check((now += 2_000));
      await client.send('\r\n');
      expect(client.isOpen()).toBe(true);
    }
    check(now + 2_000);
    await client.closed;
  });

  it('lives through any number of requests', async () => {
    const { open, check } = await start();
    const client = await open();
    for (let now = 0; now < 100_000; now += 2_000) {
      await client.send(headersOf(2));
      await client.send('{}');
      check(now);
    }
    await until(() => client.text().split('HTTP/1.1 200').length === 51);
    expect(client.isOpen()).toBe(true);
  });

  it('is not cut while its request is being answered', async () => {
    const { open, check, holdAnswers } = await start();
    holdAnswers();
    const client = await open();
    await client.send(headersOf(2));
    await client.send('{}');
    for (let now = 0; now < 100_000; now += 2_000) check(now);
    expect(client.isOpen()).toBe(true);
  });
});

it('is not cut before its body is read, while the caller is being authenticated', async () => {
  const { open, check, holdAnswers } = await start();
  holdAnswers();
  const client = await open();
  await client.send(headersOf(100_000));
  await client.send('{');
  for (let now = 0; now < 100_000; now += 2_000) check(now);
  expect(client.isOpen()).toBe(true);
});

describe('connections at their bound', () => {
  it('make room: the oldest whose answers are not read, where they are the most', async () => {
    const { open } = await start({ connectionsPerAddress: 4 });
    const idle = await open();
    await idle.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await idle.answered();
    const stalled = [await open(), await open(), await open()];
    for (const client of stalled) {
      client.stall();
      await client.send('GET /large HTTP/1.1\r\nHost: x\r\n\r\n');
    }
    const next = await open();
    await until(() => stalled[0]?.isOpen() === false);
    expect([idle, stalled[1], stalled[2], next].map((one) => one?.isOpen())).toEqual(Array(4).fill(true));
  });

  it('make room: the oldest of half requests, where they are the most', async () => {
    const { open, figures } = await start({ connectionsPerAddress: 4 });
    const idle = await open();
    await idle.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await idle.answered();
    const half = [await open(), await open(), await open()];
    await half[0]?.send('GET / HTTP/1.1\r\n');
    const next = await open();
    await half[0]?.closed;
    expect([idle, half[1], half[2], next].map((one) => one?.isOpen())).toEqual(Array(4).fill(true));
    expect(await figures()).toContain('connections_cut_total{reason="evicted"} 1');
  });

  it('make room: the oldest of slow bodies, where they are the most, and not an idle one', async () => {
    const { open } = await start({ connectionsPerAddress: 4 });
    const idle = await open();
    await idle.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await idle.answered();
    const slow = [await open(), await open(), await open()];
    for (const client of slow) await client.send(headersOf(50_000));
    const next = await open();
    await slow[0]?.closed;
    expect([idle, slow[1], slow[2], next].map((one) => one?.isOpen())).toEqual(Array(4).fill(true));
  });

  it('make room: the oldest of idle ones, where they are the most, and not a slow body', async () => {
    const { open } = await start({ connectionsPerAddress: 4 });
    const slow = await open();
    await slow.send(headersOf(50_000));
    const idle = [await open(), await open(), await open()];
    for (const client of idle) {
      await client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await client.answered();
    }
    const next = await open();
    await idle[0]?.closed;
    expect([slow, idle[1], idle[2], next].map((one) => one?.isOpen())).toEqual(Array(4).fill(true));
  });

  it('leave requests that are being answered alone, and refuse the next one with 429', async () => {
    const { open, holdAnswers } = await start({ connectionsPerAddress: 2 });
    holdAnswers();
    const busy = [await open(), await open()];
    for (const client of busy) {
      await client.send(headersOf(2));
      await client.send('{}');
    }
    const next = await open();
    await next.closed;
    expect(next.text()).toMatch(/^HTTP\/1.1 429/);
    expect(next.text()).toMatch(/x-request-id: /i);
    expect(busy.map((client) => client.isOpen())).toEqual([true, true]);
  });

  it('count for one address, and another one has its own', async () => {
    const { open } = await start({ connectionsPerAddress: 2 });
    const flood = [await open(), await open()];
    const other = await open('127.0.0.2');
    expect([...flood, other].map((client) => client.isOpen())).toEqual([true, true, true]);
  });

  it('count for an IPv6 /48 too, whose /64 have four times the bound of an address together', () => {
    // A machine has one IPv6 loopback address at most, so these connections have a peer and no network.
    const listener = new EventEmitter();
    guardConnections(listener as Server, {
      limits: { ...defaultConnectionLimits, checkEveryMs: never, connectionsPerAddress: 2 },
      hasSockets: true,
      trustedHops: 0,
      metrics: createMetrics(),
    });
    const accept = (remoteAddress: string) => {
      const peer = Object.assign(new EventEmitter(), {
        remoteAddress,
        isOpen: true,
        destroy: () => (peer.isOpen = false),
      });
      listener.emit('connection', peer);
      return peer;
    };
    const flood = Array.from({ length: 8 }, (_, index) => accept(`2001:db8:1:${index}::1`));
    const elsewhere = accept('2001:db8:2:1::1');
    expect(flood.every(({ isOpen }) => isOpen)).toBe(true);
    const next = accept('2001:db8:1:99::1');
    expect(flood.map(({ isOpen }) => isOpen)).toEqual([false, ...Array<boolean>(7).fill(true)]);
    expect([elsewhere.isOpen, next.isOpen]).toEqual([true, true]);
    listener.emit('close');
  });

  it('count in all, whatever their addresses', async () => {
    const { open } = await start({ connections: 2 });
    const first = await open('127.0.0.2');
    const others = [await open('127.0.0.3'), await open('127.0.0.4')];
    await first.closed;
    expect(others.map((client) => client.isOpen())).toEqual([true, true]);
  });

  it('are not counted by address behind a proxy, whose connections carry many clients', async () => {
    const { open } = await start({ connectionsPerAddress: 2 }, 1);
    const clientsOfProxy = [await open(), await open(), await open()];
    expect(clientsOfProxy.map((client) => client.isOpen())).toEqual([true, true, true]);
  });
});
