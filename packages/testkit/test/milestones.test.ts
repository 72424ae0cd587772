import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { cheerKinds, type Purpose } from '@pufftrack/contract';
import { createFriendship, startTestApp, type Person, type TestApp } from '../src/index.ts';

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

/** 12:00 in Berlin, on Wednesday. */
const noon = '2026-10-21T10:00:00Z';

describe('milestones', () => {
  let app: TestApp;
  let mongo: MongoClient;

  beforeEach(async () => {
    app = await startTestApp({ now: noon });
    mongo = await MongoClient.connect(app.mongoUri);
  });
  afterEach(async () => {
    await app.close();
    await mongo.db().dropDatabase();
    await mongo.close();
  });

  const puffAt = ({ client }: Person, timestamp: string, id: string = randomUUID()) =>
    client.call('recordPuff', { body: { id, timestamp } });
  const sayNone = ({ client }: Person, ...days: string[]) =>
    client.call('checkIn', { body: { days, none: true } });
  const listOf = ({ client }: Person) => client.call('listMilestones');
  /** `3 days of abstinence: 2026-10-18..2026-10-20`, and so on. */
  const mineOf = async (person: Person) =>
    (await listOf(person)).mine
      .map(({ kind, days, evidence: { from, to } }) => `${days} ${kind} ${from}..${to}`)
      .sort();
  const inboxOf = async ({ client }: Person) => {
    const { notifications } = await client.call('listNotifications', { query: {} });
    return notifications.filter(({ category }) => category === 'milestone' || category === 'cheer');
  };
  const runAt = async (instant: string, ...apps: TestApp[]) => {
    app.clock.set(instant);
    const runs = await Promise.all(
      (apps.length > 0 ? apps : [app]).map((each) => each.jobs.runDue('milestones')),
    );
    expect(runs.flat().filter(({ outcome }) => outcome !== 'done')).toEqual([]);
    return runs.flat();
  };
  /** Somebody whose last puff was on Saturday, and who says that they have had none since: three days. */
  const abstainer = async (name: string, timeZone = 'Europe/Berlin') => {
    const person = await app.person(name, { timeZone });
    await puffAt(person, '2026-10-17T12:00:00Z');
    await sayNone(person, '2026-10-18', '2026-10-19', '2026-10-20');
    return person;
  };
  const newestOf = async (person: Person) => {
    const [first] = (await listOf(person)).mine;
    if (!first) throw new Error('nothing reached');
    return first;
  };

  it('are awarded by the job an hour after their day, and notified once with two workers', async () => {
    const other = await startTestApp({ mongoUri: app.mongoUri, world: app });
    try {
      const alice = await app.person('alice');
      await puffAt(alice, '2026-10-21T09:00:00Z');
      await runAt('2026-10-21T10:10:00Z', app, other);
      await runAt('2026-10-22T22:55:00Z', app, other);
      expect(await inboxOf(alice)).toEqual([]);
      await runAt('2026-10-22T23:10:00Z', app, other);
      for (const each of [app, other]) await each.jobs.run('milestones', '2026-10-22');
      expect(await inboxOf(alice)).toMatchObject([
        {
          category: 'milestone',
          title: 'Milestone',
          body: 'A day without a puff.',
          data: { kind: 'milestone-reached', milestone: 'abstinence', days: '1' },
          createdAt: '2026-10-22T23:10:00.000Z',
        },
      ]);
      await alice.client.refresh();
      expect(await listOf(alice)).toEqual({
        mine: [
          {
            id: expect.any(String),
            kind: 'abstinence',
            days: 1,
            version: 1,
            awardedAt: '2026-10-22T23:10:00.000Z',
            evidence: { from: '2026-10-22', to: '2026-10-22' },
            cheers: [],
          },
        ],
        friends: [],
      });
    } finally {
      await other.close();
    }
  });

  it('are revoked without a notification by a late puff, and can be awarded again', async () => {
    const alice = await abstainer('alice');
    expect(await mineOf(alice)).toEqual([
      '1 abstinence 2026-10-18..2026-10-18',
      '3 abstinence 2026-10-18..2026-10-20',
    ]);
    // Together they are one word.
    expect(await inboxOf(alice)).toMatchObject([{ data: { days: '3' }, readAt: null }]);
    const { puff } = await puffAt(alice, '2026-10-19T12:00:00Z');
    await app.drain();
    expect(await inboxOf(alice)).toMatchObject([{ data: { days: '3' }, readAt: noon.replace('Z', '.000Z') }]);
    expect(await mineOf(alice)).toEqual(['1 abstinence 2026-10-20..2026-10-20']);
    await alice.client.call('deletePuff', { params: { id: puff?.id ?? '' } });
    expect(await mineOf(alice)).toContain('3 abstinence 2026-10-18..2026-10-20');
    const rows = mongo.db().collection('milestones');
    expect(await rows.countDocuments({ revokedAt: { $exists: true } })).toBe(1);
  });

  it('are awarded on the local day of a new zone, and stay after the return to the old zone', async () => {
    const alice = await app.person('alice', { timeZone: 'Europe/Berlin' });
    await puffAt(alice, '2026-10-20T12:00:00Z');
    const move = (timeZone: string) => alice.client.call('patchMe', { body: { timeZone } });
    // Half past midnight in Berlin: the day has been over for half an hour. Then it goes on, in New York.
    app.clock.set('2026-10-21T22:30:00Z');
    await alice.client.refresh();
    expect(await mineOf(alice)).toEqual([]);
    await move('America/New_York');
    await runAt('2026-10-21T23:10:00Z');
    expect(await mineOf(alice)).toEqual([]);
    app.clock.set('2026-10-22T04:59:00Z');
    await alice.client.refresh();
    expect(await mineOf(alice)).toEqual([]);
    await runAt('2026-10-22T05:10:00Z');
    const day = '1 abstinence 2026-10-21..2026-10-21';
    expect(await inboxOf(alice)).toHaveLength(1);
    // West again: its last hours come once more.
    await alice.client.refresh();
    await move('Pacific/Honolulu');
    expect(await mineOf(alice)).toEqual([day]);
    await alice.client.call('recordPuff', { body: {} });
    expect(await mineOf(alice)).toEqual([]);
    expect(await inboxOf(alice)).toMatchObject([{ readAt: expect.any(String) }]);
  });

  it('stay after a withdrawal of consent, and none is awarded without it', async () => {
    const alice = await abstainer('alice');
    const { consents } = await alice.client.call('getConsents');
    const { version } = consents.find(({ purpose }) => purpose === 'terms') ?? { version: '' };
    await alice.client.call('putConsents', {
      body: { consents: [{ purpose: 'terms', version, granted: false }] },
    });
    await runAt('2026-10-21T23:10:00Z');
    expect((await listOf(await app.person('alice', { consents: [] }))).mine).toEqual([]);
  });

  describe('of a friend', () => {
    it('show the user and the kind for confirmed days, without dates', async () => {
      const [alice, bob] = [await abstainer('alice'), await app.person('bob')];
      await createFriendship(alice, bob, { one: 'milestones', other: 'none' });
      const { friends } = await listOf(bob);
      const friend = { userId: alice.userId, name: 'Alice' };
      const item = { id: expect.any(String), friend, kind: 'abstinence', myCheers: [] };
      expect(friends).toEqual([
        { ...item, days: 3, reachedOn: '2026-10-20' },
        { ...item, days: 1, reachedOn: '2026-10-18' },
      ]);
      expect((await listOf(alice)).friends).toEqual([]);
      // Her word about one of the days is taken back.
      await alice.client.call('checkIn', { body: { days: ['2026-10-19'], none: false } });
      expect((await listOf(bob)).friends.map(({ days }) => days)).toEqual([1]);
      expect((await listOf(alice)).mine.map(({ days }) => days)).toEqual([3, 1]);
      await puffAt(alice, '2026-10-18T12:00:00Z');
      expect((await listOf(bob)).friends).toEqual([]);
      // The two days after it are not confirmed, both.
      await sayNone(alice, '2026-10-19');
      expect((await listOf(bob)).friends.map(({ days, reachedOn }) => `${days} ${reachedOn}`)).toEqual([
        '1 2026-10-19',
      ]);
      app.clock.set('2026-11-20T10:01:00Z');
      expect((await listOf(await app.person('bob'))).friends).toEqual([]);
    });

    const asked = async (viewer: Person, id: string) => ({
      seen: (await listOf(viewer)).friends.length,
      code: await viewer.client
        .call('cheerMilestone', { params: { id }, body: { kind: 'clap' } })
        .then(() => 'cheered')
        .catch((error: unknown) => (error as { code: string }).code),
    });
    const withdraw = async ({ client }: Person, purpose: Purpose) => {
      const { version } = (await client.call('getConsents')).consents.find(
        (consent) => consent.purpose === purpose,
      ) ?? { version: '' };
      await client.call('putConsents', { body: { consents: [{ purpose, version, granted: false }] } });
    };

    it.each<[string, (alice: Person, bob: Person) => Promise<unknown>, string, number]>([
      ['live', () => Promise.resolve(), 'cheered', 2],
      ['milestones', (a, b) => share(a, b, 'milestones'), 'cheered', 2],
      ['none', (a, b) => share(a, b, 'none'), 'not-found', 0],
      ['a rest of hers', ({ client }) => client.call('putGhost', { body: { until: null } }), 'not-found', 0],
      [
        'a block of hers',
        (a, b) => a.client.call('blockPerson', { body: { userId: b.userId } }),
        'not-found',
        0,
      ],
      [
        'a block of his',
        (a, b) => b.client.call('blockPerson', { body: { userId: a.userId } }),
        'not-found',
        0,
      ],
      [
        'no friendship',
        (a, b) => b.client.call('removeFriend', { params: { userId: a.userId } }),
        'not-found',
        0,
      ],
      ['no consent of hers', (a) => withdraw(a, 'friends-sharing'), 'not-found', 0],
      ['no health processing of hers', (a) => withdraw(a, 'health-processing'), 'not-found', 0],
      ['no consent of his', (_a, b) => withdraw(b, 'friends-sharing'), 'consent-required', 2],
    ])('with %s', async (_name, change, code, seen) => {
      const [alice, bob] = [await abstainer('alice'), await app.person('bob')];
      await createFriendship(alice, bob);
      const { id } = await newestOf(alice);
      await change(alice, bob);
      expect(await asked(bob, id)).toEqual({ seen, code });
    });
    it('a user cannot cheer an own milestone', async () => {
      const alice = await abstainer('alice');
      expect(await asked(alice, (await newestOf(alice)).id)).toEqual({ seen: 0, code: 'not-found' });
    });
    const share = ({ client }: Person, { userId }: Person, shareLevel: 'milestones' | 'none') =>
      client.call('patchFriend', { params: { userId }, body: { shareLevel } });
  });

  describe('cheers', () => {
    let alice: Person;
    let bob: Person;
    let id: string;

    beforeEach(async () => {
      alice = await abstainer('alice');
      bob = await app.person('bob');
      await createFriendship(alice, bob);
      ({ id } = await newestOf(alice));
      await alice.client.call('readNotifications', { body: { all: true } });
    });

    const cheer = ({ client }: Person, kind: (typeof cheerKinds)[number], milestone = id) =>
      client.call('cheerMilestone', { params: { id: milestone }, body: { kind } });
    const takeBack = ({ client }: Person, query: { kind?: (typeof cheerKinds)[number] } = {}) =>
      client.call('removeCheer', { params: { id }, query });
    const cheersOf = async () => (await newestOf(alice)).cheers;
    const mineBy = async (person: Person) =>
      (await listOf(person)).friends.find((milestone) => milestone.id === id)?.myCheers;
    const noticesOf = async () => (await inboxOf(alice)).filter(({ category }) => category === 'cheer');

    it('count one of each kind per friend, can be removed, and share one notification while it is unread', async () => {
      await Promise.all([cheer(bob, 'clap'), cheer(bob, 'clap'), cheer(bob, 'heart')]);
      await cheer(bob, 'clap');
      expect([...(await cheersOf())].sort((a, b) => a.kind.localeCompare(b.kind))).toEqual([
        { kind: 'clap', count: 1 },
        { kind: 'heart', count: 1 },
      ]);
      expect([...((await mineBy(bob)) ?? [])].sort()).toEqual(['clap', 'heart']);
      const carla = await app.person('carla');
      await createFriendship(carla, alice);
      expect(await noticesOf()).toMatchObject([
        { title: 'Cheer', body: 'Bob cheered you on.', readAt: null },
      ]);
      await cheer(carla, 'clap');
      expect(await noticesOf()).toMatchObject([
        {
          body: 'Carla and others cheered you on.',
          data: { kind: 'cheered', milestoneId: id, userId: carla.userId, name: 'Carla' },
        },
      ]);
      await takeBack(bob, { kind: 'heart' });
      expect(await mineBy(bob)).toEqual(['clap']);
      await takeBack(bob);
      expect(await cheersOf()).toEqual([{ kind: 'clap', count: 1 }]);
      await takeBack(bob);
      await alice.client.call('readNotifications', { body: { all: true } });
      // Given again, it is nothing new.
      await cheer(bob, 'clap');
      expect(await cheersOf()).toEqual([{ kind: 'clap', count: 2 }]);
      expect(await noticesOf()).toHaveLength(1);
      await cheer(bob, 'star');
      expect(await noticesOf()).toHaveLength(2);
    });

    it('are limited to 30 in 24 hours for each sender', async () => {
      for (const kind of cheerKinds.slice(0, 3)) await cheer(bob, kind);
      const earlier = range(25).map((index) => new Date(app.clock.now() - index * 1_000));
      await mongo
        .db()
        .collection<{ _id: string }>('cheersenders')
        .updateOne({ _id: bob.userId }, { $push: { sentAt: { $each: earlier } } });
      const outcomes = await Promise.allSettled(cheerKinds.slice(3).map((kind) => cheer(bob, kind)));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
      expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
        reason: { code: 'rate-limited' },
      });
      await cheer(bob, 'clap');
    });

    it.each<[string, () => Promise<unknown>]>([
      ['blocks', () => alice.client.call('blockPerson', { body: { userId: bob.userId } })],
      ['is blocked', () => bob.client.call('blockPerson', { body: { userId: alice.userId } })],
      ['removes', () => alice.client.call('removeFriend', { params: { userId: bob.userId } })],
    ])('are removed with the friendship, with the name in notifications, if alice %s', async (_who, end) => {
      await cheer(bob, 'clap');
      await end();
      expect(await cheersOf()).toEqual([]);
      expect(await mongo.db().collection('cheers').countDocuments()).toBe(0);
      const [notice] = await noticesOf();
      expect(notice).toMatchObject({ body: 'Cheer', readAt: expect.any(String) });
      expect(JSON.stringify(notice)).not.toContain(bob.userId);
      await expect(takeBack(bob)).rejects.toMatchObject({ code: 'not-found' });
    });

    it('are removed by a block at the same moment', async () => {
      await Promise.allSettled([
        ...cheerKinds.map((kind) => cheer(bob, kind)),
        alice.client.call('blockPerson', { body: { userId: bob.userId } }),
      ]);
      expect(await mongo.db().collection('cheers').countDocuments()).toBe(0);
    });

    it('of a muted friend are counted without a notification; all are removed with the milestone', async () => {
      await alice.client.call('patchFriend', { params: { userId: bob.userId }, body: { muted: true } });
      await cheer(bob, 'clap');
      expect(await cheersOf()).toEqual([{ kind: 'clap', count: 1 }]);
      expect(await noticesOf()).toEqual([]);
      await puffAt(alice, '2026-10-19T12:00:00Z');
      await app.drain();
      await expect(cheer(bob, 'heart')).rejects.toMatchObject({ code: 'not-found' });
      expect(await mongo.db().collection('cheers').countDocuments()).toBe(0);
    });
  });
});
