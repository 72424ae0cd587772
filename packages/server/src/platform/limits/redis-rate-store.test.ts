import { createMetrics } from '../telemetry/metrics.ts';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@pufftrack/testkit/eventually';
import { startRedis, type LocalRedis } from '@pufftrack/local-services';
import { openTestRedis, testPrefix } from '../../../test/redis.ts';
import type { RedisLink } from '../bus/redis-link.ts';
import { createRateLimits, type RateLimits, type RateState } from './rate-limits.ts';
import { createRedisRateStore } from './redis-rate-store.ts';

const minute = 60_000;

describe('rate limits of processes that share a Redis (RATE-1)', () => {
  let prefix: string;
  let now: number;
  const links: RedisLink[] = [];
  const servers: LocalRedis[] = [];

  beforeEach(() => {
    prefix = testPrefix();
    now = Date.parse('2026-10-21T10:00:00Z');
  });
  afterEach(async () => {
    for (const link of links.splice(0)) link.stop();
    for (const server of servers.splice(0)) await server.stop();
  });

  /** Writes: 60 a minute; puffs: 300. */
  const startProcess = async (url?: string): Promise<RateLimits & { link: RedisLink }> => {
    const link = await openTestRedis({ prefix, ...(url !== undefined && { url }) });
    links.push(link);
    const store = createRedisRateStore(link);
    return {
      ...createRateLimits({ store, clock: { now: () => now }, scale: 0.5, metrics: createMetrics() }),
      link,
    };
  };
  const startServer = async (port?: number) => {
    const server = await startRedis(port === undefined ? {} : { port });
    servers.push(server);
    return server;
  };
  /** It answers at once: no call waits for Redis. */
  const take = (limits: RateLimits, id: string): RateState => {
    const state = limits.take('person', id, 'write');
    if (!state || state instanceof Promise) throw new Error('not answered at once');
    return state;
  };
  const remaining = (limits: RateLimits, id: string) => Number(/r=(\d+)/.exec(take(limits, id).limit)?.[1]);

  /** Resolves when Redis knows of so many calls, and `limits` has read its answer. */
  const untilShared = async ({ link }: { link: RedisLink }, id: string, calls: number) => {
    const counted = () => link.commands.hget(link.keyOf('rate', `write person ${id}`), 'count');
    await eventually(`Redis knows of ${calls}`, async () => Number(await counted()) === calls);
    await link.commands.ping();
  };

  it('count no call of the minutes of an outage after it', async () => {
    const link = await openTestRedis({ prefix });
    links.push(link);
    let isUp = true;
    const store = createRedisRateStore({ ...link, isUp: () => isUp });
    const hit = () => store.hit('read person alice', minute, now);
    await hit();
    const counted = () => link.commands.hget(link.keyOf('rate', 'read person alice'), 'count');
    await eventually('Redis knows of it', async () => (await counted()) === '1');
    isUp = false;
    for (let minutes = 0; minutes < 90; minutes += 1) {
      now += minute;
      for (let call = 0; call < 10; call += 1) await hit();
    }
    isUp = true;
    now += minute;
    await hit();
    await eventually('Redis knows of the call after it', async () => (await counted()) === '1');
    await link.commands.ping();
    expect((await hit()).count).toBe(2);
  });

  it('are one budget: what one process counted the other one knows', async () => {
    const [one, other] = [await startProcess(), await startProcess()];
    for (let call = 0; call < 40; call += 1) expect(take(one, 'alice').allowed).toBe(true);
    await untilShared(one, 'alice', 40);
    take(other, 'alice');
    await untilShared(other, 'alice', 41);
    expect(remaining(other, 'alice')).toBe(60 - 42);
    expect(take(one, 'bob').allowed).toBe(true);
  });

  it('let through little more than the quota, however many processes are called at once', async () => {
    const processes = [
      await startProcess(),
      await startProcess(),
      await startProcess(),
      await startProcess(),
    ];
    let allowed = 0;
    for (let round = 0; round < 100; round += 1) {
      for (const limits of processes) if (take(limits, 'carla').allowed) allowed += 1;
      // As fast as a client can call that waits for a round trip of Redis each time.
      await Promise.all(processes.map(({ link }) => link.commands.ping()));
    }
    expect(allowed).toBeGreaterThanOrEqual(60);
    expect(allowed).toBeLessThan(2 * 60);
  });

  it('end with their window, by the clock of the processes', async () => {
    const [one, other] = [await startProcess(), await startProcess()];
    for (let call = 0; call < 60; call += 1) take(one, 'dora');
    await untilShared(one, 'dora', 60);
    now += 1_000;
    take(other, 'dora');
    await untilShared(other, 'dora', 61);
    now += minute - 1_001;
    expect(take(other, 'dora').allowed).toBe(false);
    now += 1;
    expect(take(one, 'dora').allowed).toBe(true);
    expect(take(other, 'dora').allowed).toBe(true);
  });

  it('hold in each process while Redis is away, and are one budget again when it is back', async () => {
    const server = await startServer();
    const [one, other] = [await startProcess(server.url), await startProcess(server.url)];
    for (let call = 0; call < 30; call += 1) take(one, 'emil');
    await untilShared(one, 'emil', 30);
    await server.stop();
    await eventually('the outage is seen', () => !one.link.isUp() && !other.link.isUp());
    for (let call = 0; call < 30; call += 1) expect(take(one, 'emil').allowed).toBe(true);
    expect(take(one, 'emil').allowed).toBe(false);
    await startServer(server.port);
    await eventually('Redis is back', () => one.link.isUp() && other.link.isUp());
    // The Redis is empty; what was counted since then is sent to it.
    expect(take(one, 'emil').allowed).toBe(false);
    await untilShared(one, 'emil', 32);
    expect(take(one, 'emil').allowed).toBe(false);
    await untilShared(one, 'emil', 33);
    take(other, 'emil');
    await untilShared(other, 'emil', 34);
    expect(remaining(other, 'emil')).toBe(60 - 35);
  });

  it('outlive a FLUSHALL', async () => {
    const server = await startServer();
    const one = await startProcess(server.url);
    take(one, 'frank');
    await one.link.commands.flushall();
    while (take(one, 'frank').allowed);
    await eventually('it goes on', async () => (await one.link.commands.dbsize()) > 0);
    expect(take(one, 'frank').allowed).toBe(false);
  });

  it('leave nothing in Redis for longer than two windows', async () => {
    const one = await startProcess();
    take(one, 'gina');
    const key = one.link.keyOf('rate', 'write person gina');
    expect(await one.link.commands.keys(`${prefix}*gina*`)).toEqual([]);
    await eventually('it was sent', async () => (await one.link.commands.exists(key)) === 1);
    expect(await one.link.commands.pttl(key)).toBeGreaterThan(minute);
    expect(await one.link.commands.pttl(key)).toBeLessThanOrEqual(2 * minute);
  });
});
