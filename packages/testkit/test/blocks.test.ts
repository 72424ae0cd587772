import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { createFriendship, startTestApp, type TestApp } from '../src/index.ts';
import { block, friendsOf, newPeople, receivedBy, sendRequest, sent, sentBy } from './friend-world.ts';

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

describe('a block', () => {
  it('hides two users from each other at once without an event that reveals it', async () => {
    const [vic, wim] = await people('vic', 'wim');
    await createFriendship(vic!, wim!);
    const [atVic, atWim] = [await vic!.connect(), await wim!.connect()];
    await block(vic!, wim!);
    await block(vic!, wim!);
    expect(await atWim.next('friendRemoved')).toEqual({ friendId: vic!.userId });
    await vic!.client.call('recordPuff');
    await wim!.client.call('recordPuff');
    for (const socket of [atVic, atWim]) {
      await socket.undo({ id: randomUUID() });
      expect(socket.received('friendPuff')).toEqual([]);
      socket.close();
    }
    expect([await friendsOf(vic!), await friendsOf(wim!)]).toEqual([[], []]);
    expect(await sendRequest(wim!, vic!)).toEqual(sent);
    expect(await sendRequest(vic!, wim!)).toEqual(sent);
    expect([await receivedBy(vic!), await receivedBy(wim!)]).toEqual([[], []]);
    expect((await vic!.client.call('listBlocks')).blocks).toMatchObject([{ userId: wim!.userId }]);
    expect((await wim!.client.call('listBlocks')).blocks).toEqual([]);
  });

  it('drops a pending friend request: it looks sent, and does not return after the block ends', async () => {
    const [xia, yan] = await people('xia', 'yan');
    await sendRequest(xia!, yan!);
    const requestId = (await receivedBy(yan!))[0]!.id;
    await block(yan!, xia!);
    expect(await receivedBy(yan!)).toEqual([]);
    expect(await sentBy(xia!)).toHaveLength(1);
    const params = { userId: xia!.userId };
    await yan!.client.call('unblockPerson', { params });
    await expect(yan!.client.call('unblockPerson', { params })).rejects.toMatchObject({ status: 404 });
    await expect(yan!.client.call('acceptFriend', { body: { requestId } })).rejects.toMatchObject({
      status: 404,
    });
    await sendRequest(xia!, yan!);
    expect(await receivedBy(yan!)).toHaveLength(1);
  });

  it('is atomic: a failed block leaves no name that a removal would hide', async () => {
    const [ann, ben] = await people('ann', 'ben');
    await sendRequest(ann!, ben!);
    const block = () => ann!.client.call('blockPerson', { body: { userId: ben!.userId } });
    const refuseUpdates = (validator: object) => mongo.db().command({ collMod: 'notifications', validator });
    await refuseUpdates({ never: { $exists: true } });
    try {
      await expect(block()).rejects.toMatchObject({ code: 'internal' });
      expect(await ann!.client.call('listBlocks')).toEqual({ blocks: [] });
    } finally {
      await refuseUpdates({});
    }
    await block();
    const { notifications } = await ben!.client.call('listNotifications', { query: {} });
    expect(notifications.length).toBeGreaterThan(0);
    expect(JSON.stringify(notifications)).not.toContain(ann!.name);
    expect(JSON.stringify(notifications)).not.toContain(ann!.userId);
  });

  it('rejects the caller’s own id and unknown ids', async () => {
    const [zoe] = await people('zoe');
    await expect(block(zoe!, zoe!)).rejects.toMatchObject({ status: 422 });
    await expect(zoe!.client.call('blockPerson', { body: { userId: '0'.repeat(26) } })).rejects.toMatchObject(
      { status: 404 },
    );
  });
});
