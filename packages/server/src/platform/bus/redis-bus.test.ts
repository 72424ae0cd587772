import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually, inTime } from '@pufftrack/testkit/eventually';
import { Redis } from 'ioredis';
import { startRedis, type LocalRedis } from '@pufftrack/local-services';
import { openTestRedis, testPrefix, testRedisUrl } from '../../../test/redis.ts';
import { createLogger } from '../telemetry/logger.ts';
import type { RedisLink } from './redis-link.ts';
import { createRedisBus, type RedisBus } from './redis-bus.ts';

interface Process {
  readonly bus: RedisBus;
  readonly link: RedisLink;
  readonly received: unknown[];
  gaps(): number;
}

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('the bus', () => {
  let prefix: string;
  const open: Process[] = [];
  const servers: LocalRedis[] = [];

  beforeEach(() => {
    prefix = testPrefix();
  });
  afterEach(async () => {
    for (const { bus, link } of open.splice(0)) {
      await bus.stop();
      link.stop();
    }
    for (const server of servers.splice(0)) await server.stop();
  });

  const startProcess = async (
    url?: string,
    options: { keptForMs?: number; maxStreamBytes?: number; startWithinMs?: number } = {},
  ): Promise<Process> => {
    const { startWithinMs, ...limits } = options;
    const link = await openTestRedis({
      prefix,
      ...(url !== undefined && { url }),
      ...(startWithinMs !== undefined && { startWithinMs }),
    });
    const bus = createRedisBus({ redis: link, log: createLogger({ level: 'silent' }), ...limits });
    const received: unknown[] = [];
    let gaps = 0;
    bus.on('channel', (message) => void received.push(message));
    bus.onGap(() => void (gaps += 1));
    await bus.start();
    const started: Process = { bus, link, received, gaps: () => gaps };
    open.push(started);
    return started;
  };
  const startServer = async (port?: number) => {
    const server = await startRedis(port === undefined ? {} : { port });
    servers.push(server);
    return server;
  };

  it('brings every message to every other process, in order, and none to its sender', async () => {
    const [one, two, three] = [await startProcess(), await startProcess(), await startProcess()];
    for (const index of range(500)) {
      one.bus.publish('channel', { index });
      if (index % 100 === 0) await one.bus.flushed();
    }
    const all = range(500).map((index) => ({ index }));
    await eventually(
      'both have received',
      () => two.received.length === 500 && three.received.length === 500,
    );
    expect([two.received, three.received]).toEqual([all, all]);
    expect(one.received).toEqual([]);
    expect([one.gaps(), two.gaps(), three.gaps()]).toEqual([0, 0, 0]);
  });

  it('puts messages of one moment into one entry', async () => {
    const [one, two] = [await startProcess(), await startProcess()];
    for (const index of range(100)) one.bus.publish('channel', { index });
    await eventually('everything is received', () => two.received.length === 100);
    expect(await one.link.commands.xlen(`${prefix}bus`)).toBe(1);
  });

  it('keeps an entry for a time, trims it with the next one, and leaves nothing where none follows', async () => {
    const keptForMs = 1_500;
    // The reader may be late: only the writer's time is short.
    const [one, two] = [await startProcess(undefined, { keptForMs }), await startProcess()];
    const { commands } = one.link;
    const key = `${prefix}bus`;
    let first: [string, string[]] | undefined;
    await eventually('the first is there', async () => {
      one.bus.publish('channel', { index: 0 });
      await one.bus.flushed();
      const leftMs = await commands.pttl(key);
      [first] = await commands.xrange(key, '-', '+');
      expect(leftMs).not.toBe(-1);
      expect(leftMs).toBeLessThanOrEqual(keptForMs);
      return first !== undefined;
    });
    const isOld = async () => {
      const [seconds] = await commands.time();
      return Number(seconds) * 1_000 - Number(first?.[0].split('-')[0]) > keptForMs;
    };
    // Messages are published all the time, so the key lives on.
    await eventually('the first is old', async () => {
      one.bus.publish('channel', { index: 'again' });
      return isOld();
    });
    one.bus.publish('channel', { index: 'last' });
    await one.bus.flushed();
    expect((await commands.xrange(key, '-', first?.[0] ?? '')).length).toBe(0);
    await eventually('nothing is left', async () => (await commands.exists(key)) === 0);
    one.bus.publish('channel', { index: 'after' });
    await eventually('the next is received', () => JSON.stringify(two.received.at(-1)).includes('after'));
  });

  it('is cut where it takes too many bytes, and a reader that missed an entry reports a gap', async () => {
    const [one, two] = [await startProcess(undefined, { maxStreamBytes: 100_000 }), await startProcess()];
    const text = 'x'.repeat(50_000);
    // More than this process writes before it checks the size of the stream.
    for (let sent = 0; sent < 200; sent++) {
      one.bus.publish('channel', { text });
      await one.bus.flushed();
    }
    const bytes = async () => Number(await one.link.commands.memory('USAGE', `${prefix}bus`));
    await eventually('it is cut', async () => (await bytes()) < 8_000_000);
    one.bus.publish('channel', { index: 'last' });
    await eventually(
      'the last is received',
      () => two.received.length > 0 && JSON.stringify(two.received.at(-1)).includes('last'),
    );
    expect(two.received.length === 201 || two.gaps() > 0).toBe(true);
  });

  it('forgets what every process has had time to read, for an erasure', async () => {
    const one = await startProcess();
    const key = `${prefix}bus`;
    one.bus.publish('channel', { index: 0 });
    await one.bus.flushed();
    expect(await one.link.commands.xlen(key)).toBe(1);
    await eventually('it is gone', async () => {
      await one.bus.trim();
      return (await one.link.commands.xlen(key)) === 0;
    });
  });

  it('has flushed a message once it is in the stream', async () => {
    const [one, two] = [await startProcess(), await startProcess()];
    expect(one.bus.flushed()).toBeUndefined();
    one.bus.publish('channel', { index: 1 });
    await one.bus.flushed();
    expect(await one.link.commands.xlen(`${prefix}bus`)).toBe(1);
    await eventually('it is received', () => two.received.length === 1);
  });

  it('continues after FLUSHALL, and keeps deployments apart', async () => {
    const server = await startServer();
    const [one, two] = [await startProcess(server.url), await startProcess(server.url)];
    prefix = testPrefix();
    const stranger = await startProcess(server.url);
    one.bus.publish('channel', { index: 1 });
    await eventually('the first is received', () => two.received.length === 1);
    await one.link.commands.flushall();
    one.bus.publish('channel', { index: 2 });
    await eventually('the second is received', () => two.received.length === 2);
    expect(stranger.received).toEqual([]);
  });

  it('continues where the clock of Redis was set back and everything was flushed', async () => {
    const server = await startServer();
    const [one, two] = [await startProcess(server.url), await startProcess(server.url)];
    await one.link.commands.xadd(`${prefix}bus`, '99999999999999-0', 'from', 'another', 'number', 1);
    one.bus.publish('channel', { index: 1 });
    await eventually('the first is received', () => two.received.length === 1);
    await one.link.commands.flushall();
    one.bus.publish('channel', { index: 2 });
    await eventually('the second is received', () => two.received.length === 2);
    expect(two.received).toEqual([{ index: 1 }, { index: 2 }]);
  });

  it('reports that Redis accepts nothing, and publishes the gap afterwards', async () => {
    const server = await startServer();
    const [one, two] = [await startProcess(server.url), await startProcess(server.url)];
    one.bus.publish('channel', { index: 0 });
    await eventually('the first is received', () => two.received.length === 1);
    expect([one.bus.isWhole(), two.gaps()]).toEqual([true, 0]);
    await two.link.commands.config('SET', 'maxmemory', '1');
    one.bus.publish('channel', { index: 1 });
    await eventually('it is refused', () => !one.bus.isWhole());
    await two.link.commands.config('SET', 'maxmemory', '0');
    await eventually('it is taken again', () => one.bus.isWhole());
    await eventually('the gap is seen', () => two.gaps() === 1);
    expect(two.received).toEqual([{ index: 0 }]);
  });

  it('reports that Redis hangs, also where nothing is published', async () => {
    const server = await startServer();
    const quiet = await startProcess(server.url);
    expect(quiet.bus.isWhole()).toBe(true);
    process.kill(server.process.pid, 'SIGSTOP');
    try {
      await eventually('it is seen', () => !quiet.bus.isWhole());
    } finally {
      process.kill(server.process.pid, 'SIGCONT');
    }
    await eventually('it is back', () => quiet.bus.isWhole());
  });

  it('leaves a server that has become a replica', async () => {
    const server = await startServer();
    const one = await startProcess(server.url);
    const connection = () => one.link.commands.client('ID');
    const before = await connection();
    await one.link.commands.replicaof('127.0.0.1', 9);
    one.bus.publish('channel', { index: 1 });
    await eventually('it is left', async () => one.link.isUp() && (await connection()) !== before);
    expect(one.bus.isWhole()).toBe(false);
    await one.link.commands.replicaof('NO', 'ONE');
    await eventually('it is taken again', () => one.bus.isWhole());
  });

  it('drops messages while Redis is away, and publishes the gap when it is back', async () => {
    const server = await startServer();
    const [one, two] = [await startProcess(server.url), await startProcess(server.url)];
    one.bus.publish('channel', { index: 0 });
    await eventually('the first is received', () => two.received.length === 1);
    await server.stop();
    await eventually('the outage is seen', () => !one.link.isUp() && !two.link.isUp());
    one.bus.publish('channel', { index: 1 });
    expect(one.bus.flushed()).toBeUndefined();
    await startServer(server.port);
    await eventually('both are back', () => one.link.isUp() && two.link.isUp());
    await eventually('the gap is seen', () => two.gaps() >= 2);
    one.bus.publish('channel', { index: 2 });
    await eventually('the next is received', () => two.received.length === 2);
    expect(two.received).toEqual([{ index: 0 }, { index: 2 }]);
  });

  it('catches up on messages that were published while its own connection was cut', async () => {
    const [one, two] = [await startProcess(), await startProcess()];
    one.bus.publish('channel', { index: 0 });
    await eventually('the first is received', () => two.received.length === 1);
    const clients = String(await one.link.commands.client('LIST'));
    const reading = clients.split('\n').filter((line) => /cmd=xread/.test(line));
    for (const line of reading)
      await one.link.commands.client('KILL', 'ID', /^id=(\d+)/.exec(line)?.[1] ?? '');
    for (const index of range(20)) {
      one.bus.publish('channel', { index: index + 1 });
      await one.bus.flushed();
    }
    await eventually('everything is received', () => two.received.length === 21);
    expect(two.received).toEqual(range(21).map((index) => ({ index })));
  });

  it('starts without Redis, and stops without it at once', async () => {
    const server = await startServer();
    await server.stop();
    const one = await startProcess(server.url, { startWithinMs: 100 });
    expect(one.link.isUp()).toBe(false);
    one.bus.publish('channel', { index: 1 });
    await inTime('it stops', one.bus.stop());
  });

  it('stops at once while it waits for an entry', async () => {
    const one = await startProcess();
    // Half as long as its own read may wait.
    const other = new Redis(testRedisUrl());
    let isOver = false;
    const wait = other.xread('BLOCK', 1_000, 'STREAMS', `${prefix}none`, '$').then(() => (isOver = true));
    await one.bus.stop();
    expect(isOver).toBe(false);
    await wait;
    other.disconnect();
  });
});
