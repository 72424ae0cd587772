import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openTestRedis, testPrefix } from '../../../../test/redis.ts';
import type { RedisLink } from '../../bus/redis-link.ts';
import { createSocketPlaces } from './socket-quota.ts';

describe('createSocketPlaces', () => {
  let redis: RedisLink;
  beforeAll(async () => {
    redis = await openTestRedis({ prefix: testPrefix() });
  });
  afterAll(() => {
    redis.stop();
  });

  it('evicts the oldest socket of the same user above the bound, over all processes', async () => {
    const [one, other] = [createSocketPlaces(redis, 2), createSocketPlaces(redis, 2)];
    expect(await one.take('alice', 's1')).toEqual([]);
    expect(await other.take('alice', 's2')).toEqual([]);
    expect(await other.take('bob', 's3')).toEqual([]);
    expect(await one.take('alice', 's4')).toEqual(['s1']);
    expect(await other.take('alice', 's5')).toEqual(['s2']);
  });

  it('evicts no socket after a place was given back', async () => {
    const places = createSocketPlaces(redis, 2);
    await places.take('carol', 's1');
    await places.take('carol', 's2');
    places.give('carol', 's1');
    expect(await places.take('carol', 's3')).toEqual([]);
  });

  it('removes every place of an account', async () => {
    const places = createSocketPlaces(redis, 1);
    await places.take('dave', 's1');
    await places.forget('dave');
    expect(await places.take('dave', 's2')).toEqual([]);
  });
});
