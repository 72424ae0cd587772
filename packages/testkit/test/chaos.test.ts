// @not-split: chooses the targets of its two processes
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { startRedis, type LocalRedis } from '@pufftrack/local-services';
import {
  createFriendship,
  eventually,
  startTestApp,
  type Person,
  type TestApp,
  type RecordedSocket,
} from '../src/index.ts';

describe('a failure of Redis loses nothing that is stored (REL-7)', () => {
  let redis: LocalRedis;
  /** Two processes with everything; each person's phone hangs on another one. */
  let here: TestApp;
  let there: TestApp;
  let alice: Person;
  let atBob: RecordedSocket;

  beforeAll(async () => {
    redis = await startRedis();
    here = await startTestApp({ targets: ['auth', 'users', 'puffs', 'analytics'], redisUrl: redis.url });
    there = await startTestApp({
      targets: ['auth', 'users', 'analytics', 'notifications'],
      mongoUri: here.mongoUri,
      world: here,
      redisUrl: redis.url,
    });
    alice = await here.person('alice');
    const bob = await there.person('bob');
    await createFriendship(alice, bob);
    atBob = await bob.connect();
  });
  afterAll(async () => {
    atBob.close();
    await there.close();
    await here.close();
    await redis.stop();
  });

  const sent: string[] = [];
  const revisions: number[] = [];
  /** Throws at anything but an acknowledgement. */
  const puff = async () => {
    const id = randomUUID();
    sent.push(id);
    const { status, puff: taken } = await alice.client.call('recordPuff', { body: { id } });
    expect(status).toBe('created');
    revisions.push(taken?.revision ?? 0);
  };
  const puffs = async (count: number) => {
    for (let index = 0; index < count; index += 1) await puff();
  };
  const ready = async (app: TestApp) => {
    const { status, body } = await app.client().send('healthReady');
    return { http: status, status: body.status, redis: body.dependencies['redis'] };
  };
  const bothSay = (status: string) =>
    eventually(`both are ${status}`, async () => {
      const answers = await Promise.all([ready(here), ready(there)]);
      expect(answers.map(({ http }) => http)).toEqual([200, 200]);
      return answers.every((answer) => answer.status === status);
    });
  /** Puffs until bob's phone hears one. */
  const expectLive = async () => {
    const before = atBob.received('friendPuff').length;
    await eventually('a live event arrives', async () => {
      await puff();
      return atBob.received('friendPuff').length > before;
    });
  };

  it('sends puffs recorded in one process to the sockets of another', async () => {
    await bothSay('ready');
    expect(await ready(here)).toEqual({ http: 200, status: 'ready', redis: 'up' });
    await puff();
    expect(await atBob.next('friendPuff')).toMatchObject({ friendId: alice.userId, todayCount: 1 });
  });

  it('accepts puffs while Redis is down, and resumes live events afterwards', async () => {
    await Promise.all([puffs(30), redis.stop()]);
    await bothSay('degraded');
    expect(await ready(there)).toEqual({ http: 200, status: 'degraded', redis: 'down' });
    await puffs(20);
    const { port } = redis;
    [redis] = await Promise.all([startRedis({ port }), puffs(20)]);
    await bothSay('ready');
    await expectLive();
  });

  it('accepts puffs during FLUSHALL', async () => {
    const commands = new Redis(redis.url);
    try {
      await Promise.all([
        puffs(30),
        (async () => {
          for (let flush = 0; flush < 10; flush += 1) await commands.flushall();
        })(),
      ]);
    } finally {
      commands.disconnect();
    }
    await expectLive();
  });

  it('accepts puffs and logs the outage while Redis hangs or is full', async () => {
    const before = sent.length;
    process.kill(redis.process.pid, 'SIGSTOP');
    try {
      await puffs(20);
      await bothSay('degraded');
      here.clock.advance(61_000);
    } finally {
      process.kill(redis.process.pid, 'SIGCONT');
    }
    await bothSay('ready');
    // Redis takes now what it was sent then; nobody is told of it as of this moment.
    const taken = sent.length;
    await expectLive();
    const late = atBob.received('friendPuff').filter(({ todayCount: at }) => at > before && at <= taken);
    expect(late).toEqual([]);
    const commands = new Redis(redis.url);
    try {
      await commands.config('SET', 'maxmemory', '1');
      await puffs(20);
      // Where nothing is said nothing is refused: the other process cannot know.
      await eventually('it is degraded', async () => (await ready(here)).status === 'degraded');
      await commands.config('SET', 'maxmemory', '0');
    } finally {
      commands.disconnect();
    }
    await bothSay('ready');
    await expectLive();
  });

  it('moves sockets to new audiences if the bus message was lost', async () => {
    await redis.stop();
    await bothSay('degraded');
    // Changed where no socket is; nothing tells the other process but its own look at the database.
    const bobId = atBob.received('ready')[0]?.userId ?? '';
    await alice.client.call('patchFriend', { params: { userId: bobId }, body: { shareLevel: 'summary' } });
    redis = await startRedis({ port: redis.port });
    await bothSay('ready');
    await eventually('the phone is in the room no more', async () => {
      const before = atBob.received('friendPuff').length;
      await puffs(3);
      return atBob.received('friendPuff').length === before;
    });
    expect(await there.client().call('healthReady')).toMatchObject({ status: 'ready' });
  });

  it('has lost no puff and counted none twice', async () => {
    const { puffs: stored } = await alice.client.call('listPuffs', { query: { limit: '500' } });
    expect(stored.map(({ id }) => id).sort()).toEqual([...sent].sort());
    expect(revisions).toEqual(sent.map((_id, index) => index + 1));
    expect(await alice.client.call('getStats')).toMatchObject({ totalPuffCount: sent.length });
  });
});
