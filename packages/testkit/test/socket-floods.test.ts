// @not-split: counts the connections of one process
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { targetNames } from '@pufftrack/server';
import { startTestApp, upgrade, type BareWebSocket, type Person, type TestApp } from '../src/index.ts';
import { tokenOf } from './bare-sockets.ts';

const open: BareWebSocket[] = [];
let app: TestApp;
let alice: Person;
beforeAll(async () => {
  // One process, whose connections they are.
  app = await startTestApp({ targets: targetNames, edge: { rateLimitScale: 1 } });
  alice = await app.person('alice');
});
afterAll(() => app.close());
afterEach(() => {
  for (const { raw } of open.splice(0)) raw.destroy();
});

const opened = async (headers: Record<string, string> = {}): Promise<BareWebSocket> => {
  const socket = await upgrade(app.url, { headers });
  open.push(socket);
  expect(socket.answer.status).toBe(101);
  await socket.next(/^0/);
  return socket;
};
const connectPacket = (token: string, namespace = '') => `40${namespace}${JSON.stringify({ token })}`;
/** A text message, or a frame: opcode, payload, whether it is the last of its message. */
type Sent = string | readonly [opcode: number, payload: string | Buffer, isFinal?: boolean];
const sendAll = (socket: BareWebSocket, sent: readonly Sent[]) => {
  for (const one of sent)
    if (typeof one === 'string') socket.send(one);
    else socket.sendFrame(...one);
};
const count = <T>(times: number, make: (index: number) => T) =>
  Array.from({ length: times }, (_, index) => make(index));
/** The value of a counter. */
const violations = async (reason: string): Promise<number> => {
  const figures = await (await fetch(`${app.url}/metrics`)).text();
  return Number(new RegExp(`socket_violations_total\\{reason="${reason}"\\} (\\d+)`).exec(figures)?.[1] ?? 0);
};

describe('before its sign-in a connection is closed', () => {
  it.each<[what: string, reason: string, messages: string[]]>([
    ['an event', 'unexpected-packet', ['42["puff",{}]']],
    ['an ack', 'unexpected-packet', ['431[]']],
    ['a disconnect', 'unexpected-packet', ['41']],
    ['an error', 'unexpected-packet', ['44{"message":"x"}']],
    ['a binary event', 'unexpected-packet', ['451-["puff",{"_placeholder":true,"num":0}]']],
    ['a binary ack', 'unexpected-packet', ['461-1[{"_placeholder":true,"num":0}]']],
    ['a base64 packet', 'unexpected-packet', ['bAAAA']],
    ['an unknown packet of Socket.IO', 'unexpected-packet', ['49']],
    ['an unknown packet of Engine.IO', 'unexpected-packet', ['x']],
    ['an empty packet', 'unexpected-packet', ['']],
    ['a ping of Engine.IO', 'unexpected-packet', ['2']],
    ['a noop', 'unexpected-packet', ['6']],
    ['an upgrade', 'unexpected-packet', ['5']],
    ['an open', 'unexpected-packet', ['0{}']],
    ['a close', 'unexpected-packet', ['1']],
    ['another namespace', 'other-namespace', ['40/admin,']],
    ['another namespace with a query', 'other-namespace', ['40/?token=x,']],
    ['many pongs', 'too-much-before-sign-in', count(11, () => '3')],
    ['a large CONNECT', 'too-much-before-sign-in', [`40{"token":"${'x'.repeat(20_000)}"}`]],
    ['a large pong', 'too-much-before-sign-in', [`3${'x'.repeat(20_000)}`]],
    ['deep JSON', 'too-much-before-sign-in', [`40${'{"a":'.repeat(10_000)}`]],
  ])('for %s', async (_what, reason, messages) => {
    const before = await violations(reason);
    const socket = await opened();
    socket.send(...messages);
    expect(await socket.closed).toBe(1008);
    expect(await violations(reason)).toBe(before + 1);
  });

  it.each<[what: string, codes: number | number[], sent: Sent[]]>([
    // Refused by `connect_error`, or by Socket.IO: an ordinary end.
    ['a refused token', 1005, [connectPacket('x')]],
    ['no token', 1005, ['40']],
    ['broken JSON', 1005, ['40{"token":']],
    ['JSON that is no object', 1005, ['40["x"]']],
    // Whichever the server sees first: the refusal is sent, or the second packet arrives.
    ['a second CONNECT at once', [1005, 1008], [connectPacket('x'), connectPacket('x')]],
    ['an event at once', [1005, 1008], [connectPacket('x'), '42["puff",{}]']],
    ['a binary frame', 1003, [[2, 'bytes']]],
    ['many pings of the WebSocket', 1008, count(11, () => [9, ''])],
    ['many pongs of the WebSocket', 1008, count(11, () => [10, ''])],
    ['a message in very many pieces', 1008, [[1, '4', false], ...count(200, (): Sent => [0, '0', false])]],
    ['a frame beyond 64 KB', [1008, 1009], [[1, '0'.repeat(70_000)]]],
  ])('for %s', async (_what, codes, sent) => {
    const socket = await opened();
    sendAll(socket, sent);
    expect([codes].flat()).toContain(await socket.closed);
  });

  it('for a message that never ends', async () => {
    const before = await violations('too-much-before-sign-in');
    const socket = await opened();
    sendAll(socket, [[1, '4', false], ...count(20, (): Sent => [0, '0'.repeat(1_000), false])]);
    await socket.closed;
    expect(await violations('too-much-before-sign-in')).toBe(before + 1);
  });

  it('for good, where the client does not answer the closing handshake', async () => {
    const socket = await opened();
    const ended = once(socket.raw, 'close');
    socket.send('42["puff",{}]');
    await socket.closed;
    await ended;
    expect(socket.raw.closed).toBe(true);
  });

  it('with a connect_error where it asks for another namespace', async () => {
    const socket = await opened();
    socket.send(connectPacket(tokenOf(alice), '/admin,'));
    const packet = await socket.next(/^44/);
    expect(packet).toMatch(/^44\/admin,\{/);
    expect(JSON.parse(packet.slice('44/admin,'.length))).toMatchObject({
      data: { status: 404, code: 'not-found' },
    });
    await socket.closed;
  });
});

describe('a signed-in connection', () => {
  it.each<[what: string, code: number, sent: Sent[]]>([
    ['a binary event', 1008, ['451-["puff",{"_placeholder":true,"num":0}]']],
    ['a binary ack', 1008, ['461-1[{"_placeholder":true,"num":0}]']],
    ['a binary frame', 1003, [[2, Buffer.alloc(60_000)]]],
    ['a base64 packet', 1008, [`b${'A'.repeat(60_000)}`]],
    ['an ack', 1008, ['431[]']],
    ['a CONNECT', 1008, [connectPacket('x')]],
    ['another namespace', 1008, ['42/admin,["puff",{}]']],
    ['a noop', 1008, ['6']],
    ['broken JSON', 1005, ['42["puff",{]']],
    ['a reserved event', 1005, ['42["disconnect"]']],
    ['an event without a name', 1005, ['42[]']],
    ['very many pongs', 1008, count(1_600, () => '3')],
    ['very many pings of the WebSocket', 1008, count(1_600, () => [9, ''])],
  ])('is closed for %s', async (what, code, sent) => {
    const eve = await app.person(`eve of ${what}`);
    const socket = await opened();
    socket.send(connectPacket(tokenOf(eve)));
    await socket.next(/^42\["ready"/);
    sendAll(socket, sent);
    expect(await socket.closed).toBe(code);
    expect((await eve.client.call('getStats')).totalPuffCount).toBe(0);
  });

  it('may send a full frame, but not 2 MB in a minute; its other sockets and its calls go on', async () => {
    const mallory = await app.person('mallory');
    const [socket, other] = [await opened(), await opened()];
    for (const one of [socket, other]) {
      one.send(connectPacket(tokenOf(mallory)));
      await one.next(/^42\["ready"/);
    }
    const full = `421["no-such-event","${'x'.repeat(65_000)}"]`;
    socket.send(full);
    await socket.next(/^431/);
    for (let sent = 0; sent < 70; sent++) socket.send(full);
    await socket.closed;
    expect((await mallory.client.call('recordPuff', { body: {} })).stats.totalPuffCount).toBe(1);
    expect(other.raw.closed).toBe(false);
    const again = await opened();
    again.send(connectPacket(tokenOf(mallory)));
    expect(await again.next(/^44/)).toContain('"rate-limited"');
    app.clock.advance(60_000);
    other.send('422["puff",{}]');
    expect(await other.next(/^432/)).toContain('"status":"created"');
  });

  it('answers events in the form of every client', async () => {
    const socket = await opened();
    // Swift names the root namespace in CONNECT.
    socket.send(connectPacket(tokenOf(alice), '/,'));
    await socket.next(/^42\["ready"/);
    socket.send('42/,7["undo",{}]', '3');
    expect(await socket.next(/^437/)).toContain('"stats"');
  });
});

describe('connections of one address', () => {
  it('are bounded before they sign in; others, and those that signed in, go on', async () => {
    const own = {
      edge: { rateLimitScale: 1, trustedHops: 1 },
      targets: targetNames,
      // All of them stay open until the last one is counted.
      timeLimits: { connectPacketMs: 120_000 },
    };
    const behind = await startTestApp(own);
    try {
      const from = (address: string) =>
        upgrade(behind.url, { headers: { 'X-Forwarded-For': address } }).then((socket) => {
          open.push(socket);
          return socket;
        });
      const bob = await behind.person('bob');
      const attempts: BareWebSocket[] = [];
      for (let batch = 0; batch < 10; batch++)
        attempts.push(...(await Promise.all(count(51, () => '203.0.113.9').map(from))));
      const statuses = attempts.map(({ answer }) => answer.status);
      expect(statuses.filter((status) => status === 101)).toHaveLength(500);
      const refused = attempts.find(({ answer }) => answer.status !== 101);
      expect(refused?.answer).toMatchObject({ status: 429, headers: { 'retry-after': '5' } });
      expect(JSON.parse(refused?.answer.body ?? '')).toMatchObject({ code: 'rate-limited', status: 429 });
      const elsewhere = await from('203.0.113.10');
      elsewhere.send(connectPacket(tokenOf(bob)));
      await elsewhere.next(/^42\["ready"/);
      // One that signs in makes room, as one that leaves does.
      attempts[0]?.send(connectPacket(tokenOf(bob)));
      await attempts[0]?.next(/^42\["ready"/);
      expect((await from('203.0.113.9')).answer.status).toBe(101);
    } finally {
      await behind.close();
    }
  });
});
