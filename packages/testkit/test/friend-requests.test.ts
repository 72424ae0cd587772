import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { createFriendship, startTestApp, type Person, type TestApp } from '../src/index.ts';
import {
  block,
  codeOf,
  friendsOf,
  newPeople,
  receivedBy,
  sendRequest,
  sent,
  sentBy,
} from './friend-world.ts';
import { manyFriends } from './many-people.ts';

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

describe('a friend code', () => {
  it('stops working when its owner rotates it', async () => {
    const [ann, ben] = await people('ann', 'ben');
    const old = await codeOf(ben!);
    const { friendCode } = await ben!.client.call('rotateFriendCode');
    expect(friendCode).toMatch(/^[0-9A-HJKMNP-TV-Z]{10}$/);
    expect(friendCode).not.toBe(old);
    expect(await codeOf(ben!)).toBe(friendCode);
    await ann!.client.call('requestFriend', { body: { friendCode: old } });
    expect(await receivedBy(ben!)).toEqual([]);
    await ann!.client.call('requestFriend', { body: { friendCode } });
    expect(await receivedBy(ben!)).toHaveLength(1);
  });

  it('can be tried 20 times a minute per account, and 30 times as often per address (API-6)', async () => {
    const strict = await startTestApp({ edge: { rateLimitScale: 0.1 }, world: app });
    const guess = ({ client }: Person) => client.call('acceptInvite', { body: { token: 'guess' } });
    const guessers = [];
    for (const index of range(31)) guessers.push(await strict.person(`guesser ${index}`));
    const last = guessers.pop()!;
    for (const guesser of guessers)
      for (let round = 0; round < 2; round++)
        await expect(guess(guesser)).rejects.toMatchObject({ status: 404 });
    await expect(guess(guessers[0]!)).rejects.toMatchObject({ code: 'rate-limited', status: 429 });
    await expect(last.client.call('requestFriend', { body: { friendCode: 'GUESS' } })).rejects.toMatchObject({
      code: 'rate-limited',
      status: 429,
    });
    await strict.close();
  });
});

describe('a friend request', () => {
  it('can be cancelled by its sender only, silently and permanently', async () => {
    const [cleo, dan, eve] = await people('cleo', 'dan', 'eve');
    await sendRequest(cleo!, dan!);
    const [{ id } = { id: '' }] = await sentBy(cleo!);
    const atDan = await dan!.connect();
    for (const person of [dan!, eve!])
      await expect(person.client.call('cancelFriendRequest', { params: { id } })).rejects.toMatchObject({
        code: 'not-found',
      });
    for (let round = 0; round < 2; round++)
      await cleo!.client.call('cancelFriendRequest', { params: { id } });
    expect([await sentBy(cleo!), await receivedBy(dan!)]).toEqual([[], []]);
    for (const call of ['acceptFriend', 'rejectFriend'] as const)
      await expect(dan!.client.call(call, { body: { requestId: id } })).rejects.toMatchObject({
        code: 'not-found',
      });
    await atDan.undo({ id: randomUUID() });
    expect([...atDan.received('friendRemoved'), ...atDan.received('friendUpdated')]).toEqual([]);
    atDan.close();
    await sendRequest(cleo!, dan!);
    expect(await receivedBy(dan!)).toHaveLength(1);
  });

  it('is not delivered again after a decline, also when its sender cancels and resends it', async () => {
    const [fay, gus] = await people('fay', 'gus');
    await sendRequest(fay!, gus!);
    await gus!.client.call('rejectFriend', { body: { requestId: (await receivedBy(gus!))[0]!.id } });
    await fay!.client.call('cancelFriendRequest', { params: { id: (await sentBy(fay!))[0]!.id } });
    expect(await sendRequest(fay!, gus!)).toEqual(sent);
    expect(await receivedBy(gus!)).toEqual([]);
  });

  it('P3: can be accepted or rejected by its recipient only, whatever id others send', async () => {
    const [hal, ivy, jim, kay] = await people('hal', 'ivy', 'jim', 'kay');
    await createFriendship(ivy!, jim!);
    await block(ivy!, kay!);
    await sendRequest(hal!, ivy!);
    const { id } = (await receivedBy(ivy!))[0]!;
    for (const person of [hal!, jim!, kay!])
      for (const call of ['acceptFriend', 'rejectFriend'] as const)
        for (const requestId of [id, id.toUpperCase(), randomUUID(), ivy!.userId, '0'.repeat(26)])
          await expect(person.client.call(call, { body: { requestId } })).rejects.toMatchObject({
            status: 404,
          });
    const stored = await mongo.db().collection('friendrequests').findOne({ from: hal!.userId });
    expect(stored).toMatchObject({ state: 'open', delivered: true });
    expect(await friendsOf(hal!)).toEqual([]);
  });

  it('does not reveal its recipient: the same answer after the same queries for every friend code', async () => {
    // Without sockets no background query but those that the filter excludes reads the database.
    const quiet = await startTestApp({ targets: ['auth', 'users'] });
    const own = await MongoClient.connect(quiet.mongoUri, { appName: 'test' });
    const person = (name: string) => quiet.person(name);
    const sender = await person('sender');
    const [friend, declines, blocks, isBlocked, resting, full, plain] = await Promise.all(
      ['friend', 'declines', 'blocks', 'is blocked', 'resting', 'full', 'plain'].map(person),
    );
    await createFriendship(sender, friend!);
    await sendRequest(sender, declines!);
    await declines!.client.call('rejectFriend', {
      body: { requestId: (await receivedBy(declines!))[0]!.id },
    });
    await block(blocks!, sender);
    await block(sender, isBlocked!);
    await resting!.client.call('putGhost', { body: { until: null } });
    await manyFriends(own.db(), full!.userId, 200);
    const codes = {
      unknown: 'NOBODY0000',
      own: await codeOf(sender),
      friend: await codeOf(friend!),
      declines: await codeOf(declines!),
      blocks: await codeOf(blocks!),
      'is blocked': await codeOf(isBlocked!),
      resting: await codeOf(resting!),
      full: await codeOf(full!),
      plain: await codeOf(plain!),
      'requested before': await codeOf(plain!),
    };
    await own.db().command({ profile: 2 });
    const queries = { ns: /[.](users|friend[a-z]+)$/, appName: { $ne: 'test' } };
    const profile = own.db().collection('system.profile');
    const answers: [string, unknown][] = [];
    for (const [who, friendCode] of Object.entries(codes)) {
      const before = await profile.countDocuments(queries);
      const { status, body } = await sender.client.send('requestFriend', { body: { friendCode } });
      const lines = await profile.find(queries).sort({ $natural: 1 }).skip(before).toArray();
      const calls = lines.map(({ op, ns }) => `${String(op)} ${String(ns).replace(/^\w+[.]/, '')}`);
      answers.push([who, { status, body, calls }]);
    }
    await own.db().command({ profile: 0 });
    await quiet.close();
    await own.close();
    const [[, first] = []] = answers;
    expect((first as { calls: string[] }).calls.length).toBeGreaterThan(8);
    for (const [who, answer] of answers) expect([who, answer]).toEqual([who, first]);
  });

  it('does not reveal its recipient to several senders at once', async () => {
    const quiet = await startTestApp({ targets: ['auth', 'users'] });
    const own = await MongoClient.connect(quiet.mongoUri, { appName: 'test' });
    const known = await quiet.person('known');
    const senders = await Promise.all(range(12).map((index) => quiet.person(`sender ${index}`)));
    const queries = { ns: /[.](users|friend[a-z]+|notifications|inboxheads)$/, appName: { $ne: 'test' } };
    const answers: Record<string, number>[] = [];
    const sendAll = (friendCode: string) =>
      Promise.all(senders.map(({ client }) => client.call('requestFriend', { body: { friendCode } })));
    const codeOfKnown = await codeOf(known);
    // The settings that the first request reads of its sender are cached afterwards.
    await sendAll('NOBODY1111');
    for (const friendCode of [codeOfKnown, 'NOBODY0000']) {
      await own.db().command({ profile: 2 });
      await sendAll(friendCode);
      await own.db().command({ profile: 0 });
      const profile = own.db().collection('system.profile');
      const calls: Record<string, number> = {};
      for (const { op, ns } of await profile.find(queries).toArray()) {
        const call = `${String(op)} ${String(ns).replace(/^\w+[.]/, '')}`;
        calls[call] = (calls[call] ?? 0) + 1;
      }
      answers.push(calls);
      await profile.drop();
    }
    await quiet.close();
    await own.close();
    expect(answers[0]?.['insert friendrequests']).toBe(senders.length);
    expect(answers[0]).toEqual(answers[1]);
  });

  it('stays pending when it crosses another and one user has 200 friends; accepting it answers 409', async () => {
    const [lea, max] = await people('lea', 'max');
    await manyFriends(mongo.db(), max!.userId, 200);
    expect(await sendRequest(lea!, max!)).toEqual(sent);
    expect(await sendRequest(max!, lea!)).toEqual(sent);
    const requestId = (await receivedBy(max!))[0]!.id;
    await expect(max!.client.call('acceptFriend', { body: { requestId } })).rejects.toMatchObject({
      status: 409,
      code: 'conflict',
    });
    expect(await friendsOf(lea!)).toEqual([]);
  });
});
