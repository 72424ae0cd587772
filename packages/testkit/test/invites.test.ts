import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { startTestApp, type Person, type TestApp } from '../src/index.ts';
import { block, newPeople } from './friend-world.ts';

const dayMs = 86_400_000;

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

describe('an invite', () => {
  it('creates one friendship, once, within 7 days; its token is stored as a hash', async () => {
    const [ned, oda, pam] = await people('ned', 'oda', 'pam');
    const invite = await ned!.client.call('createInvite');
    expect(invite).toEqual({
      token: expect.stringMatching(/^[\w-]{43}$/),
      url: `http://pufftrack.test/#invite=${invite.token}`,
      expiresAt: new Date(app.clock.now() + 7 * dayMs).toISOString(),
    });
    const stored = await mongo.db().collection('friendinvites').find({ inviter: ned!.userId }).toArray();
    expect(stored.map(({ _id }) => String(_id))).toEqual([
      createHash('sha256').update(invite.token).digest('hex'),
    ]);
    expect(JSON.stringify(stored)).not.toContain(invite.token);

    const accept = ({ client }: Person, token = invite.token) =>
      client.call('acceptInvite', { body: { token, shareLevel: 'summary' } });
    const none = { status: 404, code: 'not-found' };
    await expect(accept(ned!)).rejects.toMatchObject(none);
    await expect(accept(oda!, `${invite.token}x`)).rejects.toMatchObject(none);
    const { friend } = await accept(oda!);
    expect(friend).toMatchObject({ userId: ned!.userId, shareLevel: 'summary', theirShareLevel: 'live' });
    expect((await accept(oda!)).friend).toEqual(friend);
    await expect(accept(pam!)).rejects.toMatchObject(none);
    await oda!.client.call('removeFriend', { params: { userId: ned!.userId } });
    await expect(accept(oda!)).rejects.toMatchObject(none);

    const late = await ned!.client.call('createInvite');
    app.clock.advance(7 * dayMs);
    await expect(accept(pam!, late.token)).rejects.toMatchObject(none);
  });

  it('cannot be accepted across a block and is not used up by the attempt', async () => {
    const [quin, rik, sue] = await people('quin', 'rik', 'sue');
    const { token } = await quin!.client.call('createInvite');
    await block(quin!, rik!);
    const body = { token };
    await expect(rik!.client.call('acceptInvite', { body })).rejects.toMatchObject({ status: 404 });
    expect((await sue!.client.call('acceptInvite', { body })).friend.userId).toBe(quin!.userId);
  });

  it('can be created 20 times a day, and only with the consent to share', async () => {
    const [tim] = await people('tim');
    for (let round = 0; round < 20; round++) await tim!.client.call('createInvite');
    await expect(tim!.client.call('createInvite')).rejects.toMatchObject({ code: 'rate-limited' });
    const una = await app.person(`una ${randomUUID()}`, { consents: ['terms'] });
    await expect(una.client.call('createInvite')).rejects.toMatchObject({ code: 'consent-required' });
  });
});
