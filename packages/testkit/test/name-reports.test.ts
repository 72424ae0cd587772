import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { createFriendship, startTestApp, type Person, type TestApp } from '../src/index.ts';
import { friendsOf, newPeople } from './friend-world.ts';

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

let app: TestApp;
let mongo: MongoClient;

beforeAll(async () => {
  app = await startTestApp();
  mongo = await MongoClient.connect(app.mongoUri, { appName: 'test' });
});
afterAll(async () => {
  await app.close();
  await mongo.close();
});

const people = (...names: string[]) => newPeople(app, names);

describe('reports', () => {
  const report = (by: Person, userId: string) =>
    by.client.call('reportPerson', { body: { userId, reason: 'name', note: 'rude' } });

  it('from three different users hide a name from all other users', async () => {
    const [bad, one, two, three] = await people('bad', 'one', 'two', 'three');
    await createFriendship(bad!, one!);
    const atOne = await one!.connect();
    for (const by of [one!, one!, one!, two!, bad!])
      expect(await report(by, bad!.userId)).toEqual({ status: 'received' });
    expect((await friendsOf(one!))[0]?.name).not.toBeNull();
    await report(three!, bad!.userId);
    expect((await atOne.next('friendUpdated')).friend).toMatchObject({ userId: bad!.userId, name: null });
    expect(await friendsOf(one!)).toMatchObject([{ name: null }]);
    expect((await bad!.client.call('getMe')).name).not.toBeNull();
    await bad!.client.call('recordPuff');
    expect(await atOne.next('friendPuff')).toMatchObject({ friendName: null });
    await bad!.client.call('patchMe', { body: { name: 'Worse' } });
    expect(await friendsOf(one!)).toMatchObject([{ name: null }]);
    atOne.close();
  });

  it('of unknown users get the same answer; ten are allowed a day', async () => {
    const [fin] = await people('fin');
    expect(await report(fin!, '0'.repeat(26))).toEqual({ status: 'received' });
    expect(await mongo.db().collection('userreports').countDocuments({ reporter: fin!.userId })).toBe(0);
    const others = await people(...range(11).map((index) => `other ${index}`));
    for (const { userId } of others.slice(1)) await report(fin!, userId);
    await expect(report(fin!, others[0]!.userId)).rejects.toMatchObject({ code: 'rate-limited' });
  });
});
