import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Client } from '@pufftrack/client';
import { MongoClient, type Db, type Document } from 'mongodb';
import { startTestApp, type Person, type TestApp } from '../src/index.ts';
import { documentsRead, profiled } from './profiler.ts';

const dayMs = 86_400_000;
/** docs/limits.md */
const maxGoals = 4_000;
const maxChangesPerPuff = 2_500;
const maxConsentRecords = 1_000;
const maxZonePeriods = 1_000;
const checkInsOfTenYears = 3_652;
/** Of the days that a check-in may still change; each is one small row. */
const checkInsReadAgain = 40;

describe('an account whose histories are at their bounds', () => {
  let app: TestApp;
  let mongo: MongoClient;
  let db: Db;
  let empty: Person;
  let full: Person;

  /** Copies a row as the program has written it. */
  const fill = async (
    collection: string,
    count: number,
    change: (row: Document, index: number) => Document,
  ) => {
    const rows = db.collection(collection);
    const written = await rows.findOne({ userId: full.userId }, { sort: { number: 1 } });
    if (!written) throw new Error(`the program has written no row of ${collection}`);
    const row: Document = { ...written };
    delete row['_id'];
    await rows.deleteMany({ userId: full.userId });
    await rows.insertMany(Array.from({ length: count }, (_, index) => ({ ...row, ...change(row, index) })));
  };
  const sum = (read: Record<string, number>) => Object.values(read).reduce((total, one) => total + one, 0);
  const documentsOf = async (client: Client, call: (client: Client) => Promise<unknown>) =>
    sum(documentsRead(await profiled(app.mongoUri, () => call(client))));

  beforeAll(async () => {
    app = await startTestApp();
    mongo = await MongoClient.connect(app.mongoUri);
    db = mongo.db();
    for (const person of [(empty = await app.person('alice')), (full = await app.person('bob'))]) {
      await person.client.call('putGoal', { body: { mode: 'reduce', dailyLimit: 9 } });
      await person.client.call('checkIn', { body: { days: ['2026-10-19'], none: true } });
    }
    const today = Math.floor(app.clock.now() / dayMs);
    await fill('goals', maxGoals, (_row, index) => ({
      number: index + 1,
      dailyLimit: 3_000 + (index % 2),
      setAt: new Date((today - maxGoals + 1 + index) * dayMs),
      effectiveDay: today - maxGoals + 1 + index,
      before: { limited: index > 0, baseline: null },
    }));
    await fill('checkins', checkInsOfTenYears, (_row, index) => ({ day: today - 2 - index }));
    await fill('consentrecords', maxConsentRecords, (_row, index) => ({
      at: new Date(app.clock.now() - (maxConsentRecords - index) * 60_000),
    }));
    // What the processes hold of the account is from before the rows were written.
    const created = app.clock.now() - 10 * 365 * dayMs;
    const step = Math.floor((app.clock.now() - created) / (maxZonePeriods + 1));
    const timeZones = Array.from({ length: maxZonePeriods }, (_, index) => ({
      timeZone: index % 2 === 0 ? 'Asia/Tokyo' : 'Europe/Berlin',
      from: new Date(created + index * step),
    }));
    await db
      .collection('users')
      .updateOne(
        { _id: full.userId as never },
        { $set: { timeZones, timeZone: 'Europe/Berlin' }, $inc: { settingsVersion: 1 } },
      );
    app.clock.advance(6_000);
    for (const { client } of [empty, full]) await client.call('getStats');
  });
  afterAll(async () => {
    await mongo.close();
    await app.close();
  });

  let limit = 100;
  it.each<[string, (client: Client) => Promise<unknown>]>([
    ['reads its goal', (client) => client.call('getGoal')],
    [
      'lowers its limit',
      (client) => client.call('putGoal', { body: { mode: 'reduce', dailyLimit: limit-- } }),
    ],
    ['checks in', (client) => client.call('checkIn', { body: { days: ['2026-10-20'], none: true } })],
    ['changes its profile', (client) => client.call('patchMe', { body: { dayStartHour: 0 } })],
    ['records a puff', (client) => client.call('recordPuff')],
    ['reads its stats', (client) => client.call('getStats')],
  ])('reads at most 3 times the documents of an empty one where it %s', async (_what, call) => {
    const [few, many] = [await documentsOf(empty.client, call), await documentsOf(full.client, call)];
    expect(many).toBeLessThanOrEqual(3 * few + checkInsReadAgain);
  });

  it('is refused another goal with the limit, and may still replace the one of today', async () => {
    const { client } = full;
    await client.call('putGoal', { body: { mode: 'reduce', dailyLimit: 5 } });
    await expect(client.call('putGoal', { body: { mode: 'reduce', dailyLimit: 6 } })).rejects.toMatchObject({
      problem: { status: 422, code: 'limit-reached', limit: maxGoals },
    });
    expect(await client.call('putGoal', { body: { mode: 'reduce', dailyLimit: 4 } })).toMatchObject({
      dailyLimit: 4,
      limitToday: 4,
    });
  });

  it('is refused another zone, and keeps the one it has with everything else that it changes', async () => {
    const { client } = full;
    await expect(
      client.call('patchMe', { body: { timeZone: 'Asia/Tokyo', name: 'Robert' } }),
    ).rejects.toMatchObject({ problem: { status: 422, code: 'limit-reached', limit: maxZonePeriods } });
    expect(await client.call('patchMe', { body: { timeZone: 'Europe/Berlin', name: 'Rob' } })).toMatchObject({
      timeZone: 'Europe/Berlin',
      name: 'Rob',
    });
  });

  it('is refused another grant, and every purpose can still be withdrawn', async () => {
    const { client, userId } = full;
    const { consents } = await client.call('getConsents');
    const change = (granted: boolean) => ({
      body: { consents: consents.map(({ purpose, version }) => ({ purpose, version, granted })) },
    });
    expect((await client.call('putConsents', change(true))).consents).toEqual(consents);
    const withdrawn = await client.call('putConsents', change(false));
    expect(withdrawn.consents.filter(({ granted }) => granted)).toEqual([]);
    await expect(client.call('putConsents', change(true))).rejects.toMatchObject({
      problem: { status: 422, code: 'limit-reached', limit: maxConsentRecords },
    });
    expect(await db.collection('consentrecords').countDocuments({ userId })).toBe(
      maxConsentRecords + consents.length,
    );
  });
});

describe('histories', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app.close());

  it('of goals hold a few rows after 60 changes on one day, with the same answers', async () => {
    const { client, userId } = await app.person('alice');
    for (let index = 0; index < 60; index++)
      await client.call('putGoal', { body: { mode: 'reduce', dailyLimit: 10 + (index % 2) * 5 } });
    expect(await client.call('getGoal')).toMatchObject({
      dailyLimit: 15,
      limitToday: 10,
      effectiveFrom: '2026-10-22',
    });
    const mongo = await MongoClient.connect(app.mongoUri);
    try {
      expect(await mongo.db().collection('goals').countDocuments({ userId })).toBeLessThanOrEqual(3);
    } finally {
      await mongo.close();
    }
  });

  it('of consents and zones do not grow where nothing changes', async () => {
    const { client, userId } = await app.person('bob');
    const { consents } = await client.call('getConsents');
    const { timeZone } = await client.call('getMe');
    const mongo = await MongoClient.connect(app.mongoUri);
    try {
      const rows = mongo.db().collection('consentrecords');
      const before = await rows.find({ userId }).toArray();
      const again = consents.map(({ purpose, version, granted }) => ({ purpose, version, granted }));
      expect(await client.call('putConsents', { body: { consents: again } })).toEqual({ consents });
      expect(await rows.find({ userId }).toArray()).toEqual(before);
      await client.call('putConsents', {
        body: { consents: again.map((one) => ({ ...one, granted: false })) },
      });
      await client.call('putConsents', { body: { consents: again } });
      expect(await rows.countDocuments({ userId })).toBe(before.length + 2 * again.length);
      for (let index = 0; index < 3; index++) await client.call('patchMe', { body: { timeZone } });
      const user = await mongo
        .db()
        .collection('users')
        .findOne({ _id: userId as never });
      expect(user?.['timeZones']).toHaveLength(1);
    } finally {
      await mongo.close();
    }
  });

  it('of a late puff cost its 60th edit what they cost its sixth', async () => {
    const { client } = await app.person('dave');
    const id = randomUUID();
    await client.call('recordPuff', { body: { id, timestamp: '2026-10-10T09:00:00Z', quantity: 9 } });
    const edit = async (index: number) =>
      client.call('editPuff', { params: { id }, body: { quantity: 2 + (index % 2) * 5 } });
    const readBy = async (index: number) => documentsRead(await profiled(app.mongoUri, () => edit(index)));
    for (let index = 0; index < 6; index++) await edit(index);
    const early = await readBy(6);
    for (let index = 7; index < 60; index++) await edit(index);
    expect(await readBy(60)).toEqual(early);
  });

  it('of a puff that is full refuse edits and restores, and never its deletion', async () => {
    const { client, userId } = await app.person('erin');
    const params = { id: randomUUID() };
    await client.call('recordPuff', { body: { ...params, quantity: 2 } });
    const mongo = await MongoClient.connect(app.mongoUri);
    try {
      await mongo
        .db()
        .collection('puffrecords')
        .updateOne(
          { _id: `${userId}:${params.id}` as never },
          { $set: { changeRevs: Array.from({ length: maxChangesPerPuff }, (_, index) => -1 - index) } },
        );
    } finally {
      await mongo.close();
    }
    const full = { problem: { status: 422, code: 'limit-reached', limit: maxChangesPerPuff } };
    await expect(client.call('editPuff', { params, body: { quantity: 3 } })).rejects.toMatchObject(full);
    expect(await client.call('deletePuff', { params })).toMatchObject({ stats: { totalPuffCount: 0 } });
    await expect(client.call('restorePuff', { params })).rejects.toMatchObject(full);
  });

  it('of consents refuse a purpose that stands twice in one body, whatever it says', async () => {
    const { client } = await app.person('carla');
    const [consent] = (await client.call('getConsents')).consents;
    if (!consent) throw new Error('a person of the tests has given consents');
    const { purpose, version } = consent;
    for (const granted of [true, false])
      await expect(
        client.call('putConsents', {
          body: {
            consents: [
              { purpose, version, granted: true },
              { purpose, version, granted },
            ],
          },
        }),
      ).rejects.toMatchObject({
        problem: { status: 422, code: 'invalid', errors: [{ path: 'consents.1.purpose' }] },
      });
  });
});
