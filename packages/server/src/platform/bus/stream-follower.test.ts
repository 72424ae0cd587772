import { afterEach, expect, it } from '@jest/globals';
import { eventually } from '@pufftrack/testkit/eventually';
import { openTestRedis, testPrefix } from '../../../test/redis.ts';
import type { RedisLink } from './redis-link.ts';
import { followStream, type StreamFollower } from './stream-follower.ts';

const keptMs = 30_000;
let link: RedisLink;
let follower: StreamFollower;

afterEach(async () => {
  await follower.stop();
  link.stop();
});

it('says that something may be missing after it stood still while entries could be trimmed', async () => {
  link = await openTestRedis({ prefix: testPrefix() });
  const key = `${link.prefix}stream`;
  let now = 0;
  let returns = 0;
  const read: string[] = [];
  follower = followStream({
    redis: link,
    key,
    keptMs,
    now: () => now,
    onEntry: ({ id }) => void read.push(id),
    onReturn: () => void (returns += 1),
  });
  await follower.start();
  const write = async () => {
    await link.commands.xadd(key, '*', 'a', 'b');
    await link.commands.pexpire(key, keptMs);
  };
  await write();
  await eventually('the first is read', () => read.length === 1);
  now += 3_000;
  await write();
  await eventually('the second is read', () => read.length === 2);
  expect(returns).toBe(0);
  now += keptMs;
  await write();
  await eventually('the third is read', () => read.length === 3);
  await eventually('it says so', () => returns === 1);
});
