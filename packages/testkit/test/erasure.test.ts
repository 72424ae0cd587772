import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Redis } from 'ioredis';
import type { Db, Document } from 'mongodb';
import { ApiError, type Client } from '@pufftrack/client';
import {
  createFriendship,
  eventually,
  recordEvents,
  sha256Hex,
  startTestApp,
  testClientId,
  type Person,
  type TestApp,
} from '../src/index.ts';
import { startTwoProcesses, type TwoProcesses } from './two-processes.ts';

const second = 1_000;
const minute = 60 * second;
const lastSweepMs = 90 * second;
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

/** docs/data-map.md: what becomes of each collection. */
const dataMap = new Map(
  [
    ...readFileSync(resolve(import.meta.dirname, '../../../docs/data-map.md'), 'utf8').matchAll(
      /^\| `(\w+)` +\| (\w+) +\|.*\| (erased|kept)/gm,
    ),
  ].map(([, collection, owner, fate]) => [collection ?? '', { owner, fate }]),
);

/** The same for what stands in Redis: the kinds of keys, by the word after the name of the database. */
const redisKinds = [
  ...readFileSync(resolve(import.meta.dirname, '../../../docs/data-map.md'), 'utf8').matchAll(
    /^\| `redis: (\w+)/gm,
  ),
].map(([, kind]) => kind);

let processes: TwoProcesses;
let here: TestApp;
let there: TestApp;
let db: Db;

/** Two processes on one database. */
const open = async (options: { redisUrl?: string } = {}) => {
  processes = await startTwoProcesses(options);
  ({ here, there } = processes);
  db = processes.mongo.db();
};
const close = async () => {
  await db.dropDatabase();
  await processes.close();
};

const collections = async () =>
  (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name).sort();

/** Every document of the database, as text. */
const dump = async (): Promise<{ collection: string; text: string }[]> => {
  const all: { collection: string; text: string }[] = [];
  for (const collection of await collections())
    for (const doc of await db.collection(collection).find().toArray())
      all.push({ collection, text: JSON.stringify(doc) });
  return all;
};

/** To the end of an erasure: the first sweep, and the last one, after which no write of before can live. */
const erase = async () => {
  await here.drain();
  here.clock.advance(lastSweepMs);
  await here.drain();
  await there.drain();
};

const tokenOf = ({ client }: Person) => client.accessToken() ?? '';
const codeOf = async (call: Promise<unknown>): Promise<string | undefined> => {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error.code;
    throw error;
  }
};
/** A call with the token of somebody, whatever their client holds by now. */
const callAs = async (app: TestApp, token: string, path = '/users/me') => {
  const answer = await fetch(`${app.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  return ((await answer.json()) as { code?: string }).code;
};

describe('what is left of a person (PRIV-3)', () => {
  beforeEach(() => open());
  afterEach(close);

  /** A life that leaves something in every collection. */
  const live = async () => {
    const [alice, bob, dora] = [
      await here.person('alice'),
      await here.person('bob'),
      await here.person('dora'),
    ];
    for (const { client } of [alice, bob]) {
      const puffs = range(40).map((index) => ({
        id: randomUUID(),
        timestamp: new Date(here.clock.now() - index * 80 * 3_600_000).toISOString(),
      }));
      await client.call('recordPuffBatch', { body: { puffs } });
      await client.call('editPuff', { params: { id: puffs[0]?.id ?? '' }, body: { quantity: 4 } });
      await client.call('deletePuff', { params: { id: puffs[1]?.id ?? '' } });
      await client.call('putGoal', { body: { mode: 'reduce', dailyLimit: 9 } });
      await client.call('checkIn', { body: { days: ['2026-10-12', '2026-10-13'], none: true } });
      await client.call('getStats');
    }
    await createFriendship(alice, bob);
    const codeOfFriend = async ({ client }: Person) => (await client.call('getMe')).friendCode;
    await dora.client.call('requestFriend', { body: { friendCode: await codeOfFriend(alice) } });
    const eve = await here.person('eve');
    await alice.client.call('requestFriend', { body: { friendCode: await codeOfFriend(eve) } });
    await alice.client.call('listFriends');
    await bob.client.call('listFriends');
    const mallory = await here.person('mallory');
    await alice.client.call('blockPerson', { body: { userId: mallory.userId } });
    await alice.client.call('reportPerson', { body: { userId: mallory.userId, reason: 'spam' } });
    await alice.client.call('createInvite');
    for (const [{ client }, token] of [
      [alice, 'aa01'],
      [bob, 'bb01'],
    ] as const) {
      const device = { environment: 'sandbox' as const, bundleId: testClientId, token };
      await client.call('registerDevice', { body: device });
      await client.call('putNotificationPreferences', { body: { categories: { plan: 'off' } } });
    }
    // Each has been a day without, and is cheered for it.
    for (const [{ client }, friend] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      await client.call('checkIn', { body: { days: ['2026-10-15'], none: true } });
      await client.call('listMilestones');
      const [milestone] = (await friend.client.call('listMilestones')).friends;
      await friend.client.call('cheerMilestone', {
        params: { id: milestone?.id ?? '' },
        body: { kind: 'clap' },
      });
    }
    // What takes weeks, or an Apple to push to.
    for (const { userId } of [alice, bob]) {
      await db
        .collection<Document & { _id: string }>('boardbaselines')
        .insertOne({ _id: userId, baseline: 9, frozenAt: new Date() });
      await db
        .collection<Document & { _id: string }>('pushdays')
        .insertOne({ _id: userId, day: '2026-10-20', notifications: ['x'] });
    }
    for (const job of ['daily-stats', 'aggregate']) await here.jobs.run(job, '2026-10-21');
    await here.drain();
    // A process that has to read what was settled before its window.
    for (const person of [alice, bob])
      await (await there.person(person.name, { deviceId: 'tablet' })).client.call('getStats');
    return { alice, bob, dora, eve };
  };

  it('and does not bring back what others had cancelled', async () => {
    const [ann, ben] = [await here.person('ann'), await here.person('ben')];
    for (const friendCode of [(await ben.client.call('getMe')).friendCode, 'NOBODY0000'])
      await ann.client.call('requestFriend', { body: { friendCode } });
    const sent = async () => (await ann.client.call('listFriendRequests')).sent;
    for (const { id } of await sent()) await ann.client.call('cancelFriendRequest', { params: { id } });
    await ben.client.deleteAccount();
    await erase();
    expect(await sent()).toEqual([]);
  });

  it('is nothing, in any collection, but HMACs in the ledger; and nobody else loses anything', async () => {
    const { alice, bob, dora, eve } = await live();
    const sub = here.apple.subjectOf('alice');
    const needles = [alice.userId, sub, /alice/i];
    const names = ({ text }: { text: string }) => needles.some((needle) => text.search(needle) >= 0);

    expect(await collections()).toEqual([...dataMap.keys()].sort());
    const before = await dump();
    const held = new Set(before.filter(names).map(({ collection }) => collection));
    const erased = [...dataMap].flatMap(([collection, { fate }]) => (fate === 'erased' ? [collection] : []));
    expect([...held].sort()).toEqual(erased.sort());
    const statsOfBob = await bob.client.call('getStats');
    const recordsOfBob = await db.collection('puffrecords').countDocuments({ person: bob.userId });

    expect(await alice.client.deleteAccount()).toEqual({ manualRevocationRequired: false });
    await erase();

    const after = await dump();
    expect(after.filter(names)).toEqual([]);
    const ledger = after.filter(({ collection }) => collection === 'erasureledger');
    expect(ledger.map(({ text }) => JSON.parse(text) as unknown)).toEqual([
      {
        _id: expect.stringMatching(/^[0-9a-f]{64}$/),
        appleSub: expect.stringMatching(/^[0-9a-f]{64}$/),
        at: '2026-10-21T10:00:00.000Z',
      },
    ]);

    // The probe of writes changes its own row all the time.
    const others = before.filter((line) => !names(line) && line.collection !== 'writeprobes');
    const afterwards = new Set(after.map(({ collection, text }) => `${collection} ${text}`));
    expect(others.filter(({ collection, text }) => !afterwards.has(`${collection} ${text}`))).toEqual([]);
    expect(others.length).toBeGreaterThan(recordsOfBob);
    expect(await bob.client.call('getStats')).toEqual({
      ...statsOfBob,
      asOf: expect.any(String),
      longestGapTodaySeconds: expect.any(Number),
      streaks: { ...statsOfBob.streaks, abstinenceSeconds: expect.anything() },
    });
    expect(await bob.client.call('listFriends')).toEqual({ friends: [] });
    // An ask stays with its sender, who learns nothing by its end (domain.md D10).
    expect((await dora.client.call('listFriendRequests')).sent).toHaveLength(1);
    expect(await eve.client.call('listFriendRequests')).toEqual({ received: [], sent: [] });
  });

  it('is in the ledger for 24 months', async () => {
    const alice = await here.person('alice');
    const endedAt = here.clock.now();
    await alice.client.deleteAccount();
    const rows = () => db.collection('erasureledger').countDocuments({ at: new Date(endedAt) });
    here.clock.set('2028-10-20T09:00:00Z');
    await here.jobs.run('erasure-ledger');
    expect(await rows()).toBe(1);
    here.clock.set('2028-10-22T09:00:00Z');
    await here.jobs.run('erasure-ledger');
    expect(await rows()).toBe(0);
  });
});

describe('what is left of a person in Redis (PRIV-3)', () => {
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

  it('is nothing, in any key; each kind is in the data map and expires', async () => {
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
    // Ids alone: what they stand for is loaded by the process that holds the socket.
    expect(before.filter(({ text }) => text.includes(trigger) || /alice/i.test(text))).toEqual([]);

    await alice.client.deleteAccount();
    await sockets[1]?.next('sessionEnded');
    // The clock of Redis is the only one that a test cannot set: 90 s are over for the processes, 2 s for Redis.
    const deletedAt = await nowThere();
    await eventually('2 s pass in Redis', async () => (await nowThere()) >= deletedAt + 2 * second);
    await erase();
    expect((await dumpRedis()).filter(names)).toEqual([]);
    for (const socket of [...sockets, ofBob]) socket.close();
  });
});

describe('DELETE /users/me', () => {
  beforeEach(() => open());
  afterEach(close);

  it('takes effect at once: tokens, sockets here and elsewhere, friends', async () => {
    const [alice, bob] = [await here.person('alice'), await here.person('bob')];
    await createFriendship(alice, bob);
    const token = tokenOf(alice);
    const tablet = await alice.signInAgain();
    const atHere = await alice.connect();
    const elsewhere = there.client();
    const { nonce } = await elsewhere.call('createNonce');
    const sheet = await here.apple.authorize({
      person: 'alice',
      clientId: testClientId,
      nonce: sha256Hex(nonce),
    });
    await elsewhere.signIn({ identityToken: sheet.identityToken, nonce });
    const tokenThere = elsewhere.accessToken() ?? '';
    const atThere = recordEvents(elsewhere.connect());
    await atThere.next('ready');
    const atBob = await bob.connect();
    expect(await callAs(there, tokenThere)).toBeUndefined();

    await alice.client.deleteAccount();
    expect(alice.client.accessToken()).toBeNull();
    expect(await atHere.next('sessionEnded')).toEqual({ reason: 'account-gone' });
    expect(await atBob.next('friendRemoved')).toEqual({ friendId: alice.userId });
    expect((await bob.client.call('listFriends')).friends).toEqual([]);
    const { entries } = await bob.client.call('getLeaderboard');
    expect(entries.map(({ userId }) => userId)).toEqual([bob.userId]);
    for (const known of [token, tokenOf(tablet)]) expect(await callAs(here, known)).toBe('account-gone');
    expect(await atThere.next('sessionEnded')).toEqual({ reason: 'account-gone' });
    here.clock.advance(5 * second);
    expect(await callAs(there, tokenThere)).toBe('account-gone');
    atThere.close();
    atHere.close();
    atBob.close();
  });

  it('tells a phone that was away for weeks that the account is gone', async () => {
    const alice = await here.person('alice');
    const phone = await alice.signInAgain();
    await phone.client.queue.add();
    await alice.client.deleteAccount();
    await erase();
    here.clock.advance(29 * 24 * 60 * minute);
    expect(await phone.client.queue.flush()).toMatchObject({
      stoppedBy: { code: 'account-gone' },
      pending: 0,
    });
    expect(phone.client.accessToken()).toBeNull();
  });

  it('asks for a sign-in of the last 5 minutes (SES-9)', async () => {
    const alice = await here.person('alice');
    here.clock.advance(60 * minute);
    expect(await codeOf(alice.client.deleteAccount())).toBe('reauth-required');
    expect(await alice.client.call('getMe')).toMatchObject({ id: alice.userId });
    const again = await alice.signInAgain();
    expect(again.userId).toBe(alice.userId);
    expect(await codeOf(again.client.deleteAccount())).toBeUndefined();
  });

  it('50 times at once is one erasure and one revocation', async () => {
    const alice = await here.person('alice');
    const bob = await here.person('bob');
    const token = tokenOf(alice);
    const answers = await Promise.all(
      range(50).map((index) =>
        fetch(`${(index % 2 === 0 ? here : there).url}/users/me`, {
          method: 'DELETE',
          headers: { authorization: `Bearer ${token}` },
        }),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses).toContain(202);
    expect(statuses.filter((status) => status !== 202 && status !== 401)).toEqual([]);
    await erase();
    expect(await db.collection('erasureledger').countDocuments()).toBe(1);
    expect(await db.collection('erasures').countDocuments()).toBe(1);
    expect(here.apple.revokedTokens).toHaveLength(1);
    expect(await bob.client.call('getMe')).toMatchObject({ id: bob.userId });
  });

  it('does not wait for Apple, and revokes once Apple is back (SIWA-9)', async () => {
    const alice = await here.person('alice');
    here.apple.setOutage('error');
    expect(await alice.client.deleteAccount('a code')).toEqual({ manualRevocationRequired: false });
    await erase();
    expect(here.apple.revokedTokens).toHaveLength(0);
    expect(await db.collection('users').countDocuments()).toBe(0);
    here.apple.setOutage('none');
    here.clock.advance(75 * minute);
    await here.drain();
    expect(here.apple.revokedTokens).toHaveLength(1);
  });

  it.each([
    ['no code', undefined, true],
    ['a bad code', 'c0ffee.0.bad', true],
    ['the code of somebody else', 'mallory', true],
    ['a fresh code', 'alice', false],
  ])('of somebody whose token of Apple is not held, with %s', async (_what, codeFor, manual) => {
    const alice = await here.person('alice');
    await here.person('mallory');
    await db.collection('applelinks').updateOne({ userId: alice.userId }, { $set: { refreshToken: null } });
    const isName = codeFor === 'alice' || codeFor === 'mallory';
    const code = isName
      ? (await here.apple.authorize({ person: codeFor, clientId: testClientId, nonce: 'n' }))
          .authorizationCode
      : codeFor;
    expect(await alice.client.deleteAccount(code)).toEqual({ manualRevocationRequired: manual });
    await here.drain();
    expect(here.apple.revokedTokens).toHaveLength(manual ? 0 : 1);
  });

  it('works with every consent withdrawn', async () => {
    const alice = await here.person('alice', { consents: [] });
    expect(await codeOf(alice.client.deleteAccount())).toBeUndefined();
  });

  it('begins a blank account where the same Apple ID comes back, even while the old one is being erased', async () => {
    const alice = await here.person('alice');
    await alice.client.call('recordPuffBatch', {
      body: { puffs: range(10).map(() => ({ id: randomUUID(), timestamp: '2026-10-21T09:00:00Z' })) },
    });
    await alice.client.call('putGoal', { body: { mode: 'quit' } });
    await alice.client.deleteAccount();
    const again = await there.person('alice');
    expect(again.userId).not.toBe(alice.userId);
    const blank = async () => {
      expect(await again.client.call('getStats')).toMatchObject({ totalPuffCount: 0, revision: 0 });
      expect((await again.client.call('listPuffs')).puffs).toEqual([]);
      expect(await again.client.call('getGoal')).toMatchObject({ mode: 'track' });
    };
    await blank();
    await erase();
    await blank();
    expect(await again.client.call('recordPuff', { body: {} })).toMatchObject({
      stats: { totalPuffCount: 1 },
    });
  });

  it('leaves nothing of puffs that stream in at two processes meanwhile', async () => {
    const alice = await here.person('alice');
    const phone = await there.person('alice', { deviceId: 'tablet' });
    const bob = await here.person('bob');
    let recorded = 0;
    /** Until the account is gone there too. */
    const stream = async (client: Client) => {
      for (;;) {
        const code = await codeOf(client.call('recordPuff', { body: { id: randomUUID() } }));
        // Another line of the same phone may have wiped the tokens.
        if (code === 'account-gone' || code === 'unauthenticated') return;
        if (code !== undefined && code !== 'overloaded') throw new Error(code);
        recorded += 1;
      }
    };
    await bob.client.call('recordPuff', { body: {} });
    const token = tokenOf(alice);
    const streams = [alice, phone].flatMap(({ client }) => range(4).map(() => stream(client)));
    await eventually('40 puffs are recorded', () => recorded >= 40);
    const { status } = await fetch(`${here.url}/users/me`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${token}` },
    });
    expect(status).toBe(202);
    await Promise.all(streams);
    expect(recorded).toBeGreaterThanOrEqual(40);
    await there.drain();
    await erase();
    here.clock.advance(lastSweepMs);
    await erase();
    expect((await dump()).filter(({ text }) => text.includes(alice.userId))).toEqual([]);
    expect(await db.collection('erasures').countDocuments({ doneAt: null })).toBe(0);
    expect(await bob.client.call('getStats')).toMatchObject({ totalPuffCount: 1 });
  });
});

describe('DELETE /users/me of an old app', () => {
  it('works below MIN_APP_BUILD', async () => {
    const app = await startTestApp({ edge: { minAppBuild: 100 } });
    try {
      const alice = await app.person('alice');
      const headers = { 'x-app-build': '99' };
      expect(await codeOf(alice.client.send('getMe', {}, { headers }))).toBe('upgrade-required');
      expect(await alice.client.send('deleteMe', {}, { headers })).toMatchObject({ status: 202 });
    } finally {
      await app.close();
    }
  });
});
