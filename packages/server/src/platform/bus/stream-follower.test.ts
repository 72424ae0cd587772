import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@pufftrack/testkit/eventually';
import type { Redis } from 'ioredis';
import { openTestRedis, testPrefix } from '../../../test/redis.ts';
import type { RedisLink } from './redis-link.ts';
import { followStream, type StreamFollower } from './stream-follower.ts';

const keptMs = 30_000;
let link: RedisLink;
let follower: StreamFollower;
let now: number;
let gaps: number;
let read: string[];
/** Runs after a read was answered and before the follower sees the answer: the process stands still there. */
let stall: (() => Promise<void>) | undefined;

beforeEach(async () => {
  link = await openTestRedis({ prefix: testPrefix() });
  now = 0;
  gaps = 0;
  read = [];
  stall = undefined;
  const openReader = (waitMs: number): Redis => {
    const reader = link.openReader(waitMs);
    const xread = reader.xread.bind(reader) as (...values: unknown[]) => Promise<unknown>;
    reader.xread = (async (...values: unknown[]) => {
      const answer = await xread(...values);
      const work = stall;
      stall = undefined;
      await work?.();
      return answer;
    }) as never;
    return reader;
  };
  follower = followStream({
    redis: { ...link, openReader },
    key: key(),
    countKey: countKey(),
    keptMs,
    now: () => now,
    onEntry: ({ fields }) => void read.push(fields.get('name') ?? ''),
    onGap: () => void (gaps += 1),
  });
  await follower.start();
});
afterEach(async () => {
  await follower.stop();
  link.stop();
});

const key = () => `${link.prefix}stream`;
const countKey = () => `${link.prefix}count`;
const write = async (name: string) => {
  const place = await link.commands.incr(countKey());
  await link.commands.xadd(key(), '*', 'name', name, 'place', place);
  for (const each of [key(), countKey()]) await link.commands.pexpire(each, keptMs);
};
/** As an expiry does, which never happens in the millisecond of the last entry: ids after it are later ones. */
const remove = async () => {
  const [last] = await link.commands.xrevrange(key(), '+', '-', 'COUNT', 1);
  await link.commands.del(key(), countKey());
  await eventually('the clock of Redis moves on', async () => {
    const [seconds, micros] = await link.commands.time();
    return (
      Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000) > Number(last?.[0].split('-')[0] ?? 0)
    );
  });
};
const trimAll = () => link.commands.xtrim(key(), 'MAXLEN', 0);
const isRead = (name: string) => eventually(`${name} is read`, () => read.at(-1) === name);

it('reports a gap after it stood still while entries could be trimmed', async () => {
  await write('first');
  await isRead('first');
  now += 3_000;
  await write('second');
  await isRead('second');
  expect(gaps).toBe(0);
  now += keptMs;
  await write('third');
  await isRead('third');
  await eventually('the gap is reported', () => gaps === 1);
});

describe('entries that were trimmed while the process stood still for a moment', () => {
  it('are a gap, with the entry after them', async () => {
    stall = async () => {
      await write('lost');
      await trimAll();
      await write('last');
    };
    await write('first');
    await isRead('last');
    expect(read).toEqual(['first', 'last']);
    await eventually('the gap is reported', () => gaps === 1);
    await write('next');
    await isRead('next');
    expect(gaps).toBe(1);
  });

  it('are a gap where no entry follows', async () => {
    stall = async () => {
      await write('lost');
      await trimAll();
    };
    await write('first');
    await isRead('first');
    await eventually('the gap is reported', () => gaps === 1);
    await write('next');
    await isRead('next');
    expect([read, gaps]).toEqual([['first', 'next'], 1]);
  });

  it('are a gap where the stream was emptied, and its count with it', async () => {
    stall = async () => {
      await write('lost');
      await remove();
      for (const name of ['lost too', 'and this', 'and that']) await write(name);
      await trimAll();
      await write('last');
    };
    await write('first');
    await isRead('last');
    await eventually('the gap is reported', () => gaps > 0);
    expect(read).toEqual(['first', 'last']);
  });
});

describe('no gap is reported', () => {
  it('where entries were trimmed after they were read', async () => {
    for (const name of ['one', 'two', 'three']) {
      await write(name);
      await isRead(name);
      await trimAll();
    }
    expect([read, gaps]).toEqual([['one', 'two', 'three'], 0]);
  });

  it('where the stream expired, and for entries of an older version, which have no place', async () => {
    await write('one');
    await isRead('one');
    await remove();
    await write('two');
    await isRead('two');
    await link.commands.xadd(key(), '*', 'name', 'older version');
    await isRead('older version');
    await write('three');
    await isRead('three');
    expect(gaps).toBe(0);
  });
});
