import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openTestRedis, testPrefix } from '../../../test/redis.ts';
import type { RedisLink } from './redis-link.ts';
import { createRedisScript } from './redis-script.ts';

describe('createRedisScript', () => {
  let redis: RedisLink;
  beforeAll(async () => {
    redis = await openTestRedis({ prefix: testPrefix() });
  });
  afterAll(() => {
    redis.stop();
  });

  it('runs a script that this Redis has not loaded, and again when it has', async () => {
    const script = createRedisScript(
      redis,
      `-- ${testPrefix()}\nreturn redis.call('INCRBY', KEYS[1], ARGV[1])`,
    );
    const key = redis.keyOf('script', 'counter');
    expect(await script([key], [2])).toBe(2);
    expect(await script([key], ['3'])).toBe(5);
    await redis.commands.del(key);
  });

  it('rejects with the error of the script', async () => {
    const script = createRedisScript(redis, `return redis.error_reply('no such counter')`);
    await expect(script([], [])).rejects.toThrow('no such counter');
  });
});
