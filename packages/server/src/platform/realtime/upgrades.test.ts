import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import { inTime } from '@pufftrack/testkit/eventually';
import { createOriginPolicy } from '../edge/origins.ts';
import type { ConnectionBounds } from '../limits/connection-counts.ts';
import { createRateLimits } from '../limits/rate-limits.ts';
import { createMemoryRateStore } from '../limits/rate-store.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createSocketMetrics } from './socket-metrics.ts';
import { acceptUpgrades, type Upgrades } from './upgrades.ts';

const wide: ConnectionBounds = { perAddress: 100, perNetwork: 100, total: 100 };
const clients: WebSocket[] = [];
const servers: Server[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) if (client.readyState === WebSocket.OPEN) client.terminate();
  for (const server of servers.splice(0)) server.close();
});

const start = async (bounds: { open?: Partial<ConnectionBounds>; anonymous?: Partial<ConnectionBounds> }) => {
  const server = createServer();
  servers.push(server);
  const metrics = createMetrics();
  const clock = { now: () => 0 };
  const upgrades = acceptUpgrades({
    server,
    limits: createRateLimits({ store: createMemoryRateStore(), clock, scale: 1, metrics }),
    isOriginAllowed: createOriginPolicy([], 'http://pufftrack.test'),
    trustedHops: 1,
    clock,
    log: createLogger({ level: 'silent' }),
    metrics: createSocketMetrics(metrics),
    requestDeadlineMs: 15_000,
    connectPacketMs: 60_000,
    bounds: { open: { ...wide, ...bounds.open }, anonymous: { ...wide, ...bounds.anonymous } },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/socket.io/?EIO=4&transport=websocket`;

  /** 101, or the status of the refusal. */
  const connect = async (address: string) => {
    const request = inTime('a request', once(server, 'upgrade'));
    const client = new WebSocket(url, { headers: { 'X-Forwarded-For': address } });
    clients.push(client);
    client.on('error', () => undefined);
    const closed = new Promise((resolve) => client.once('close', resolve));
    const status = await inTime(
      'an answer',
      new Promise<number | undefined>((resolve) => {
        client.once('open', () => {
          resolve(101);
        });
        client.once('unexpected-response', (sent, answer) => {
          sent.destroy();
          resolve(answer.statusCode);
        });
      }),
    );
    const [req] = (await request) as [Parameters<Upgrades['connectionOf']>[0]];
    return {
      status,
      closed,
      isOpen: () => client.readyState === WebSocket.OPEN,
      signIn() {
        client.send('40{"token":"x"}');
        upgrades.connectionOf(req).signedIn(() => true);
      },
    };
  };
  return { connect, upgrades, figures: () => metrics.text() };
};

describe('at the total of a process', () => {
  it('the oldest connection without a sign-in makes room, and signed-in ones stay', async () => {
    const { connect, upgrades, figures } = await start({ anonymous: { total: 3 } });
    const signedIn = await connect('192.0.2.1');
    signedIn.signIn();
    const flood = [await connect('192.0.2.2'), await connect('192.0.2.3'), await connect('192.0.2.4')];
    const next = await connect('192.0.2.5');
    expect(next.status).toBe(101);
    await inTime('the oldest is closed', Promise.resolve(flood[0]?.closed));
    expect([signedIn, flood[1], flood[2], next].map((one) => one?.isOpen())).toEqual(Array(4).fill(true));
    expect(upgrades.anonymous()).toBe(3);
    expect(await figures()).toContain('socket_violations_total{reason="evicted"} 1');
  });

  it('the same holds for the connections of all kinds, and only signed-in ones refuse a new client', async () => {
    const { connect } = await start({ open: { total: 2 } });
    const [first, second] = [await connect('192.0.2.1'), await connect('192.0.2.2')];
    second.signIn();
    const third = await connect('192.0.2.3');
    expect(third.status).toBe(101);
    await inTime('the first is closed', first.closed);
    third.signIn();
    expect((await connect('192.0.2.4')).status).toBe(429);
    expect([second.isOpen(), third.isOpen()]).toEqual([true, true]);
  });
});

describe('an IPv6 client', () => {
  it('is counted by its /64, and all /64 of a /48 have a bound', async () => {
    const { connect } = await start({ anonymous: { perAddress: 2, perNetwork: 3 } });
    const statusOf = async (address: string) => (await connect(address)).status;
    expect(await statusOf('2001:db8:1:1::1')).toBe(101);
    expect(await statusOf('2001:db8:1:1::2')).toBe(101);
    expect(await statusOf('2001:db8:1:1::3')).toBe(429);
    expect(await statusOf('2001:db8:1:2::1')).toBe(101);
    expect(await statusOf('2001:db8:1:3::1')).toBe(429);
    expect(await statusOf('2001:db8:2:1::1')).toBe(101);
  });
});
