import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Redis } from 'ioredis';
import { createFriendship, eventually, testClientId } from '../src/index.ts';
import { startErasureWorld, type ErasureWorld } from './erasure-world.ts';

const second = 1_000;
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

/** docs/data-map.md: the kinds of Redis keys, each the word after the name of the database. */
const redisKinds = [
  ...readFileSync(resolve(import.meta.dirname, '../../../docs/data-map.md'), 'utf8').matchAll(
    /^\| `redis: (\w+)/gm,
  ),
].map(([, kind]) => kind);

let world: ErasureWorld;
let here: ErasureWorld['here'];
let there: ErasureWorld['there'];
let db: ErasureWorld['db'];
let erase: ErasureWorld['erase'];

const open = async (options: { redisUrl?: string }) => {
  world = await startErasureWorld(options);
  ({ here, there, db, erase } = world);
};
const close = () => world.close();

describe('erasure in Redis (PRIV-3)', () => {
  let redis: Redis;
  beforeEach(async () => {
    const redisUrl = process.env['PUFFTRACK_TEST_REDIS_URL'] ?? '';
    redis = new Redis(redisUrl);
    await open({ redisUrl });
  });
  afterEach(async () => {
    redis.disconnect();
    await close();
  });

  const prefix = () => `pufftrack:${db.databaseName}:`;
  const nowThere = async () => Number((await redis.time())[0]) * second;
  const contentOf = async (key: string): Promise<unknown> => {
    switch (await redis.type(key)) {
      case 'string':
        return redis.get(key);
      case 'hash':
        return redis.hgetall(key);
      case 'list':
        return redis.lrange(key, 0, -1);
      case 'set':
        return redis.smembers(key);
      case 'zset':
        return redis.zrange(key, '0', '-1');
      case 'stream':
        return redis.xrange(key, '-', '+');
      default:
        return null;
    }
  };
  const dumpRedis = async () => {
    const all: { kind: string; text: string; ttl: number }[] = [];
    for await (const keys of redis.scanStream({ match: `${prefix()}*` }) as AsyncIterable<string[]>)
      for (const key of keys)
        all.push({
          kind: /^\w+/.exec(key.slice(prefix().length))?.[0] ?? key,
          text: `${key} ${JSON.stringify(await contentOf(key))}`,
          ttl: await redis.pttl(key),
        });
    return all.filter(({ ttl }) => ttl !== -2);
  };

  it('leaves the user in no key; every kind of key is in the data map and expires', async () => {
    const [alice, bob] = [await here.person('alice'), await here.person('bob')];
    await createFriendship(alice, bob);
    const tablet = await there.person('alice', { deviceId: 'tablet' });
    const sockets = [await alice.connect(), await tablet.connect()];
    const ofBob = await (await there.person('bob', { deviceId: 'tablet' })).connect();
    const trigger = 'after the quarrel';
    const ids = range(3).map(() => randomUUID());
    await alice.client.call('registerDevice', {
      body: { environment: 'sandbox', bundleId: testClientId, token: 'aa01aa01' },
    });
    for (const id of ids) await alice.client.call('recordPuff', { body: { id, trigger } });
    await alice.client.call('editPuff', { params: { id: ids[0] ?? '' }, body: { quantity: 3 } });
    await alice.client.call('deletePuff', { params: { id: ids[1] ?? '' } });
    await alice.client.call('putGoal', { body: { mode: 'reduce', dailyLimit: 9 } });
    await alice.client.call('patchMe', { body: { name: 'Alice of the Woods' } });
    await alice.client.call('patchFriend', {
      params: { userId: bob.userId },
      body: { shareLevel: 'summary' },
    });
    await alice.client.call('checkIn', { body: { days: ['2026-10-15'], none: true } });
    await ofBob.next('friendPuff');
    const sessions = await db.collection('sessions').find({ userId: alice.userId }).toArray();
    const needles = [
      alice.userId,
      /alice/i,
      here.apple.subjectOf('alice'),
      trigger,
      'aa01aa01',
      ...ids,
      ...sessions.map(({ _id }) => String(_id)),
    ];
    const names = ({ text }: { text: string }) => needles.some((needle) => text.search(needle) >= 0);

    const before = await dumpRedis();
    expect([...new Set(before.map(({ kind }) => kind))].sort()).toEqual([...redisKinds].sort());
    expect(before.filter(({ ttl }) => ttl < 0)).toEqual([]);
    expect(before.filter(names).map(({ kind }) => kind)).toEqual(['bus']);
    // Ids only: the process that holds the socket reads the rest.
    expect(before.filter(({ text }) => text.includes(trigger) || /alice/i.test(text))).toEqual([]);

    await alice.client.deleteAccount();
    await sockets[1]?.next('sessionEnded');
    // A test cannot set the clock of Redis: 90 s pass for the processes, 2 s for Redis.
    const deletedAt = await nowThere();
    await eventually('2 s pass in Redis', async () => (await nowThere()) >= deletedAt + 2 * second);
    await erase();
    expect((await dumpRedis()).filter(names)).toEqual([]);
    for (const socket of [...sockets, ofBob]) socket.close();
  });
});
