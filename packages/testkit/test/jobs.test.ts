import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Purpose } from '@pufftrack/contract';
import { MongoClient, type Collection } from 'mongodb';
import { startTestApp, type Person, type TestApp, type RecordedSocket } from '../src/index.ts';
import type { Doc } from './many-people.ts';

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('the jobs', () => {
  let app: TestApp;
  let mongo: MongoClient;

  beforeEach(async () => {
    app = await startTestApp({ now: '2026-10-21T10:00:00Z' });
    mongo = await MongoClient.connect(app.mongoUri);
  });
  afterEach(async () => {
    await app.close();
    await mongo.db().dropDatabase();
    await mongo.close();
  });

  const collection = (name: string): Collection<Doc> => mongo.db().collection<Doc>(name);
  const runAt = async (instant: string, job: string) => {
    app.clock.set(instant);
    const ended = await app.jobs.runDue(job);
    expect(ended.filter(({ outcome }) => outcome !== 'done')).toEqual([]);
    return ended;
  };
  const statsRow = async ({ userId }: Person): Promise<unknown> =>
    (await collection('userstats').findOne({ _id: userId }))?.['stats'];

  const withdraw = async ({ client }: Person, purpose: Purpose) => {
    const versions = await client.call('getLegalVersions');
    await client.call('putConsents', {
      body: { consents: [{ purpose, version: versions[purpose], granted: false }] },
    });
  };

  it('daily-stats sends statsUpdate at the day rollover of each user, and to no other user', async () => {
    const berlin = await app.person('berlin', { timeZone: 'Europe/Berlin' });
    const late = await app.person('late', { timeZone: 'Europe/Berlin' });
    await late.client.call('patchMe', { body: { dayStartHour: 4 } });
    const tokyo = await app.person('tokyo', { timeZone: 'Asia/Tokyo' });
    await berlin.client.call('recordPuff');
    /** The day in the `statsUpdate` that the job sends to each of the three at this time. */
    const sentDays = async (instant: string): Promise<(string | undefined)[]> => {
      app.clock.set(instant);
      const sockets: RecordedSocket[] = [];
      for (const person of [berlin, late, tokyo]) {
        await person.client.refresh();
        sockets.push(await person.connect());
      }
      await runAt(instant, 'daily-stats');
      // The answer to a call comes after whatever was sent to a socket before it.
      for (const socket of sockets) await socket.undo({ id: randomUUID() });
      const days = sockets.map((socket) => socket.received('statsUpdate').at(0)?.stats.today);
      for (const socket of sockets) socket.close();
      return days;
    };
    expect(await sentDays('2026-10-21T14:59:00Z')).toEqual([undefined, undefined, undefined]);
    expect(await sentDays('2026-10-21T15:00:00Z')).toEqual([undefined, undefined, '2026-10-22']);
    expect(await sentDays('2026-10-21T22:00:00Z')).toEqual(['2026-10-22', undefined, undefined]);
    expect(await statsRow(berlin)).toMatchObject({ today: '2026-10-22', totalPuffCount: 1 });
    expect(await sentDays('2026-10-22T01:45:00Z')).toEqual([undefined, undefined, undefined]);
    expect(await sentDays('2026-10-22T02:00:00Z')).toEqual([undefined, '2026-10-22', undefined]);
  });

  it.each(['terms', 'health-processing'] as const)(
    'daily-stats skips users without %s and catches up after downtime',
    async (purpose) => {
      const alice = await app.person('alice');
      const bob = await app.person('bob');
      await runAt('2026-10-21T10:00:00Z', 'daily-stats');
      await withdraw(bob, purpose);
      const [run] = await runAt('2026-10-24T09:00:00Z', 'daily-stats');
      expect(run).toMatchObject({ figures: { settled: 1, failed: 0 } });
      expect(await statsRow(alice)).toMatchObject({ today: '2026-10-24' });
      expect(await statsRow(bob)).toBeUndefined();
    },
  );

  it.each(['terms', 'health-processing'] as const)(
    'no job uses the puffs of users without %s',
    async (purpose) => {
      const people: Person[] = [];
      for (const index of range(21)) people.push(await app.person(`person-${index}`));
      const names = ['daily-stats', 'streak-updates', 'milestones', 'aggregate'];
      for (const job of names) await runAt('2026-10-21T10:10:00Z', job);
      const [gone] = people;
      if (!gone) throw new Error('no user has signed in');
      for (const { client } of people) await client.call('recordPuff');
      await gone.client.call('checkIn', { body: { days: ['2026-10-20'], none: true } });
      await withdraw(gone, purpose);
      for (const job of names) await runAt('2026-10-22T01:10:00Z', job);
      await app.drain();
      expect(await collection('platformfigures').findOne({ _id: 'hour:2026-10-21T10' })).toMatchObject({
        all: { people: 20, puffs: 20 },
      });
      for (const name of ['milestones', 'milestonestates', 'notifications'])
        expect(
          await collection(name).countDocuments({ $or: [{ userId: gone.userId }, { _id: gone.userId }] }),
        ).toBe(0);
      expect(await statsRow(gone)).toBeUndefined();
      expect(await gone.client.call('getStats')).toMatchObject({ totalPuffCount: 1 });
      expect((await gone.client.call('listPuffs')).puffs).toHaveLength(1);
    },
  );

  it('streak-updates stores streaks with late puffs an hour after the day rollover', async () => {
    const alice = await app.person('alice');
    await alice.client.call('recordPuff', { body: { timestamp: '2026-10-18T12:00:00Z' } });
    await runAt('2026-10-21T21:50:00Z', 'streak-updates');
    await runAt('2026-10-21T22:00:00Z', 'daily-stats');
    expect(await statsRow(alice)).toMatchObject({ streaks: { puffFreeDays: { current: 3 } } });
    await alice.client.call('recordPuff', { body: { timestamp: '2026-10-21T20:00:00Z' } });
    await runAt('2026-10-21T22:50:00Z', 'streak-updates');
    expect(await statsRow(alice)).toMatchObject({ streaks: { puffFreeDays: { current: 3 } } });
    await runAt('2026-10-21T23:05:00Z', 'streak-updates');
    expect(await statsRow(alice)).toMatchObject({ streaks: { puffFreeDays: { current: 0, best: 2 } } });
  });

  it('aggregate counts hours and days without personal data, and late puffs up to 48 hours', async () => {
    const people: Person[] = [];
    for (const index of range(22)) people.push(await app.person(`person-${index}`));
    await runAt('2026-10-21T10:05:00Z', 'aggregate');
    app.clock.set('2026-10-21T10:20:00Z');
    for (const [index, { client }] of people.entries()) {
      await client.call('recordPuff', { body: { quantity: 2 } });
      if (index < 3)
        await client.call('recordPuff', {
          body: { product: 'cigarette', timestamp: '2026-10-21T09:30:00Z' },
        });
    }
    await runAt('2026-10-21T11:05:00Z', 'aggregate');
    const figures = collection('platformfigures');
    const find = (_id: string) => figures.findOne({ _id });
    const hour = { people: 22, puffs: 22, quantity: 44 };
    expect(await find('hour:2026-10-21T10')).toEqual({
      _id: 'hour:2026-10-21T10',
      period: 'hour',
      from: new Date('2026-10-21T10:00:00Z'),
      all: hour,
      byProduct: { vape: hour },
      final: false,
    });

    // Offline since the morning: it still counts for the platform; what comes after two days does not.
    const sendLate = (timestamp: string) =>
      people[0]?.client.call('recordPuffBatch', { body: { puffs: [{ id: randomUUID(), timestamp }] } });
    app.clock.set('2026-10-22T20:00:00Z');
    await sendLate('2026-10-21T10:40:00Z');
    await runAt('2026-10-24T00:05:00Z', 'aggregate');
    const day = { all: { people: 22, puffs: 26, quantity: 48 }, byProduct: null, final: true };
    expect(await find('day:2026-10-21')).toMatchObject(day);
    // What the three took at nine would follow from the day less ten o'clock.
    expect(await find('hour:2026-10-21T09')).toMatchObject({ all: null, byProduct: null });
    expect(await find('hour:2026-10-21T10')).toMatchObject({ all: null, byProduct: null });
    await sendLate('2026-10-21T10:50:00Z');
    await app.jobs.run('aggregate', '2026-10-21');
    expect(await find('day:2026-10-21')).toMatchObject(day);

    const everything = JSON.stringify(await figures.find().toArray());
    for (const { userId } of people) expect(everything).not.toContain(userId);
  });

  it('reconcile reports no drift in correct data, and a drift in changed checkpoints and records', async () => {
    const [alice, bob] = [await app.person('alice'), await app.person('bob')];
    for (const { client } of [alice, bob])
      await client.call('recordPuffBatch', {
        body: {
          puffs: range(30).map((index) => ({
            id: randomUUID(),
            timestamp: new Date(app.clock.now() - index * 7 * 3_600_000).toISOString(),
            quantity: 1 + (index % 3),
          })),
        },
      });
    expect(await runAt('2026-10-22T02:30:00Z', 'reconcile')).toMatchObject([
      { figures: { people: 2, drift: 0 } },
    ]);

    app.clock.advance(60_000);
    await collection('puffmonths').updateOne({ person: alice.userId }, { $inc: { 'days.21.9': 1 } });
    expect(await app.jobs.run('reconcile')).toMatchObject({ figures: { people: 2, drift: 1 } });
    expect(await app.jobs.list()).toContainEqual(
      expect.objectContaining({ name: 'reconcile', lastRun: expect.objectContaining({ byHand: true }) }),
    );
    await collection('puffmonths').updateOne({ person: alice.userId }, { $inc: { 'days.21.9': -1 } });
    expect(await app.jobs.run('reconcile')).toMatchObject({ figures: { drift: 0 } });

    // A record that the counts do not know: what is answered is wrong as well.
    await collection('puffrecords').updateOne({ person: bob.userId, rev: 5 }, { $inc: { quantity: 1 } });
    expect(await app.jobs.run('reconcile')).toMatchObject({ figures: { people: 2, drift: 1 } });
  });
});
