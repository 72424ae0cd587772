// @not-split: measures one process with an account at its bounds
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { MongoClient, type Db } from 'mongodb';
import { startTestApp, type Person, type TestApp } from '../src/index.ts';
import {
  calls,
  checkInsReadAgain,
  maxChangesPerPuff,
  maxConsentRecords,
  maxGoals,
  maxZonePeriods,
  openAccounts,
  type Accounts,
} from './bounds.ts';
import { documentsRead, profiled } from './profiler.ts';

describe('an account whose histories are at their bounds', () => {
  let app: TestApp;
  let mongo: MongoClient;
  let db: Db;
  let accounts: Accounts;

  beforeAll(async () => {
    app = await startTestApp();
    mongo = await MongoClient.connect(app.mongoUri);
    db = mongo.db();
    accounts = await openAccounts(app, db);
  });
  afterAll(async () => {
    await mongo.close();
    await app.close();
  });

  it.each(calls)('reads at most 3 times the documents of an empty one where it %s', async (_what, call) => {
    const readBy = async ({ client }: Person) => {
      const read = documentsRead(await profiled(app.mongoUri, () => call(client)));
      return Object.values(read).reduce((sum, one) => sum + one, 0);
    };
    const [few, many] = [await readBy(accounts.empty), await readBy(accounts.full)];
    expect(many).toBeLessThanOrEqual(3 * few + checkInsReadAgain);
  });

  it('a full history of goals refuses another goal with the limit, and accepts a replacement of the goal of today', async () => {
    const { client } = accounts.full;
    await client.call('putGoal', { body: { mode: 'reduce', dailyLimit: 5 } });
    await expect(client.call('putGoal', { body: { mode: 'reduce', dailyLimit: 6 } })).rejects.toMatchObject({
      problem: { status: 422, code: 'limit-reached', limit: maxGoals },
    });
    expect(await client.call('putGoal', { body: { mode: 'reduce', dailyLimit: 4 } })).toMatchObject({
      dailyLimit: 4,
      limitToday: 4,
    });
  });

  it('a full history of zones refuses another zone together with the rest of the change', async () => {
    const { client } = accounts.full;
    await expect(
      client.call('patchMe', { body: { timeZone: 'Asia/Tokyo', name: 'Robert' } }),
    ).rejects.toMatchObject({ problem: { status: 422, code: 'limit-reached', limit: maxZonePeriods } });
    expect(
      await client.call('patchMe', { body: { timeZone: 'Pacific/Honolulu', name: 'Rob' } }),
    ).toMatchObject({
      timeZone: 'Pacific/Honolulu',
      name: 'Rob',
    });
  });

  it('a full consent ledger refuses grants, and accepts the withdrawal of every purpose', async () => {
    const { client, userId } = accounts.full;
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

  it('of goals hold a few rows after 60 changes on one day, and give the same results', async () => {
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

  it('of consents and zones do not grow without a change', async () => {
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

  it('of a late puff make its 60th edit as cheap as its sixth', async () => {
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

  it('of a puff refuse edits and restores at their bound, and never its deletion', async () => {
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

  it('of consents refuse a body that names one purpose twice', async () => {
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

  it('of friend requests deliver at most 200 open ones, without a difference for the senders', async () => {
    const [from, to] = [await app.person('fred'), await app.person('gina')];
    const { friendCode } = await to.client.call('getMe');
    const ask = () => from.client.call('requestFriend', { body: { friendCode } });
    expect(await ask()).toEqual({ status: 'sent' });
    const mongo = await MongoClient.connect(app.mongoUri);
    const requests = mongo.db().collection('friendrequests');
    try {
      const row = await requests.findOneAndDelete({ to: to.userId });
      if (!row) throw new Error('the program has written no friend request');
      const others = Array.from({ length: 200 }, () => ({ ...row, _id: randomUUID(), from: randomUUID() }));
      await requests.insertMany(others as never[]);
      expect(await ask()).toEqual({ status: 'sent' });
      expect((await from.client.call('listFriendRequests')).sent).toHaveLength(1);
      expect(await requests.findOne({ to: to.userId, from: from.userId })).toMatchObject({
        delivered: false,
      });
      expect(await requests.countDocuments({ to: to.userId, delivered: true })).toBe(200);
    } finally {
      await mongo.close();
    }
  });
});
