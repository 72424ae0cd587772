import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { createFriendship, startTestApp, type Person, type TestApp } from '../src/index.ts';
import { manyFriends } from './many-people.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('the friend graph', () => {
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

  const people = (...names: string[]) =>
    Promise.all(names.map((name) => app.person(`${name} ${randomUUID()}`)));
  const codeOf = async ({ client }: Person) => (await client.call('getMe')).friendCode;
  const ask = async (from: Person, to: Person) => {
    const friendCode = await codeOf(to);
    const { status, body } = await from.client.send('requestFriend', { body: { friendCode } });
    return { status, body };
  };
  const receivedBy = async ({ client }: Person) => (await client.call('listFriendRequests')).received;
  const sentBy = async ({ client }: Person) => (await client.call('listFriendRequests')).sent;
  const friendsOf = async ({ client }: Person) => (await client.call('listFriends')).friends;
  const block = (by: Person, whom: Person) =>
    by.client.call('blockPerson', { body: { userId: whom.userId } });
  const sent = { status: 202, body: { status: 'sent' } };

  describe('a friend code', () => {
    it('dies when a new one is made', async () => {
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

    it('is guessed twenty times a minute by an account, and as often as by thirty accounts from an address (API-6)', async () => {
      const strict = await startTestApp({ edge: { rateLimitScale: 0.1 }, world: app });
      const guess = ({ client }: Person) => client.call('acceptInvite', { body: { token: 'guess' } });
      const guessers = [];
      for (const index of range(31)) guessers.push(await strict.person(`guesser ${index}`));
      const last = guessers.pop()!;
      for (const guesser of guessers)
        for (let round = 0; round < 2; round++)
          await expect(guess(guesser)).rejects.toMatchObject({ status: 404 });
      await expect(guess(guessers[0]!)).rejects.toMatchObject({ code: 'rate-limited', status: 429 });
      await expect(
        last.client.call('requestFriend', { body: { friendCode: 'GUESS' } }),
      ).rejects.toMatchObject({ code: 'rate-limited', status: 429 });
      await strict.close();
    });
  });

  describe('a request', () => {
    it('is cancelled by its sender alone, silently and for good', async () => {
      const [cleo, dan, eve] = await people('cleo', 'dan', 'eve');
      await ask(cleo!, dan!);
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
      await ask(cleo!, dan!);
      expect(await receivedBy(dan!)).toHaveLength(1);
    });

    it('that was declined is not asked anew by cancelling it', async () => {
      const [fay, gus] = await people('fay', 'gus');
      await ask(fay!, gus!);
      await gus!.client.call('rejectFriend', { body: { requestId: (await receivedBy(gus!))[0]!.id } });
      await fay!.client.call('cancelFriendRequest', { params: { id: (await sentBy(fay!))[0]!.id } });
      expect(await ask(fay!, gus!)).toEqual(sent);
      expect(await receivedBy(gus!)).toEqual([]);
    });

    it('P3: is answered by its receiver alone, whatever id others send', async () => {
      const [hal, ivy, jim, kay] = await people('hal', 'ivy', 'jim', 'kay');
      await createFriendship(ivy!, jim!);
      await block(ivy!, kay!);
      await ask(hal!, ivy!);
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

    it('says nothing of whom it reaches: the same answer after the same questions to the database', async () => {
      // Without sockets nothing looks at the database by itself but what this filters out by name.
      const quiet = await startTestApp({ targets: ['auth', 'users'] });
      const own = await MongoClient.connect(quiet.mongoUri, { appName: 'test' });
      const person = (name: string) => quiet.person(name);
      const asker = await person('asker');
      const [friend, declines, blocks, isBlocked, rests, full, plain] = await Promise.all(
        ['friend', 'declines', 'blocks', 'is blocked', 'rests', 'full', 'plain'].map(person),
      );
      await createFriendship(asker, friend!);
      await ask(asker, declines!);
      await declines!.client.call('rejectFriend', {
        body: { requestId: (await receivedBy(declines!))[0]!.id },
      });
      await block(blocks!, asker);
      await block(asker, isBlocked!);
      await rests!.client.call('putGhost', { body: { until: null } });
      await manyFriends(own.db(), full!.userId, 200);
      const codes = {
        unknown: 'NOBODY0000',
        own: await codeOf(asker),
        friend: await codeOf(friend!),
        declines: await codeOf(declines!),
        blocks: await codeOf(blocks!),
        'is blocked': await codeOf(isBlocked!),
        rests: await codeOf(rests!),
        full: await codeOf(full!),
        plain: await codeOf(plain!),
        'asked before': await codeOf(plain!),
      };
      await own.db().command({ profile: 2 });
      const asked = { ns: /[.](users|friend[a-z]+)$/, appName: { $ne: 'test' } };
      const profile = own.db().collection('system.profile');
      const told: [string, unknown][] = [];
      for (const [who, friendCode] of Object.entries(codes)) {
        const before = await profile.countDocuments(asked);
        const { status, body } = await asker.client.send('requestFriend', { body: { friendCode } });
        const lines = await profile.find(asked).sort({ $natural: 1 }).skip(before).toArray();
        const calls = lines.map(({ op, ns }) => `${String(op)} ${String(ns).replace(/^\w+[.]/, '')}`);
        told.push([who, { status, body, calls }]);
      }
      await own.db().command({ profile: 0 });
      await quiet.close();
      await own.close();
      const [[, first] = []] = told;
      expect((first as { calls: string[] }).calls.length).toBeGreaterThan(8);
      for (const [who, answer] of told) expect([who, answer]).toEqual([who, first]);
    });

    it('says nothing of whom it reaches to several people who ask at once either', async () => {
      const quiet = await startTestApp({ targets: ['auth', 'users'] });
      const own = await MongoClient.connect(quiet.mongoUri, { appName: 'test' });
      const known = await quiet.person('known');
      const askers = await Promise.all(range(12).map((index) => quiet.person(`asker ${index}`)));
      const asked = { ns: /[.](users|friend[a-z]+|notifications|inboxheads)$/, appName: { $ne: 'test' } };
      const told: Record<string, number>[] = [];
      const askAll = (friendCode: string) =>
        Promise.all(askers.map(({ client }) => client.call('requestFriend', { body: { friendCode } })));
      const codeOfKnown = await codeOf(known);
      // What a first ask reads of its sender is known afterwards.
      await askAll('NOBODY1111');
      for (const friendCode of [codeOfKnown, 'NOBODY0000']) {
        await own.db().command({ profile: 2 });
        await askAll(friendCode);
        await own.db().command({ profile: 0 });
        const profile = own.db().collection('system.profile');
        const calls: Record<string, number> = {};
        for (const { op, ns } of await profile.find(asked).toArray()) {
          const call = `${String(op)} ${String(ns).replace(/^\w+[.]/, '')}`;
          calls[call] = (calls[call] ?? 0) + 1;
        }
        told.push(calls);
        await profile.drop();
      }
      await quiet.close();
      await own.close();
      expect(told[0]?.['insert friendrequests']).toBe(askers.length);
      expect(told[0]).toEqual(told[1]);
    });

    it('that crosses another where one has no room waits, and accepting it says so', async () => {
      const [lea, max] = await people('lea', 'max');
      await manyFriends(mongo.db(), max!.userId, 200);
      expect(await ask(lea!, max!)).toEqual(sent);
      expect(await ask(max!, lea!)).toEqual(sent);
      const requestId = (await receivedBy(max!))[0]!.id;
      await expect(max!.client.call('acceptFriend', { body: { requestId } })).rejects.toMatchObject({
        status: 409,
        code: 'conflict',
      });
      expect(await friendsOf(lea!)).toEqual([]);
    });
  });

  describe('an invite', () => {
    it('makes one friend, once, within 7 days; its token is kept as a hash', async () => {
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

    it('does nothing between people of whom one blocks the other, and is not used up by it', async () => {
      const [quin, rik, sue] = await people('quin', 'rik', 'sue');
      const { token } = await quin!.client.call('createInvite');
      await block(quin!, rik!);
      const body = { token };
      await expect(rik!.client.call('acceptInvite', { body })).rejects.toMatchObject({ status: 404 });
      expect((await sue!.client.call('acceptInvite', { body })).friend.userId).toBe(quin!.userId);
    });

    it('is made twenty times a day, and by nobody without the consent to share', async () => {
      const [tim] = await people('tim');
      for (let round = 0; round < 20; round++) await tim!.client.call('createInvite');
      await expect(tim!.client.call('createInvite')).rejects.toMatchObject({ code: 'rate-limited' });
      const una = await app.person(`una ${randomUUID()}`, { consents: ['terms'] });
      await expect(una.client.call('createInvite')).rejects.toMatchObject({ code: 'consent-required' });
    });
  });

  describe('a block', () => {
    it('hides each from the other at once, and is not told', async () => {
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
      expect(await ask(wim!, vic!)).toEqual(sent);
      expect(await ask(vic!, wim!)).toEqual(sent);
      expect([await receivedBy(vic!), await receivedBy(wim!)]).toEqual([[], []]);
      expect((await vic!.client.call('listBlocks')).blocks).toMatchObject([{ userId: wim!.userId }]);
      expect((await wim!.client.call('listBlocks')).blocks).toEqual([]);
    });

    it('drops what was asked before: it looks sent, and is not there after the block either', async () => {
      const [xia, yan] = await people('xia', 'yan');
      await ask(xia!, yan!);
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
      await ask(xia!, yan!);
      expect(await receivedBy(yan!)).toHaveLength(1);
    });

    it('is whole or not at all: one that fails leaves no name that a removal would take away', async () => {
      const [ann, ben] = await people('ann', 'ben');
      await ask(ann!, ben!);
      const block = () => ann!.client.call('blockPerson', { body: { userId: ben!.userId } });
      const refuseUpdates = (validator: object) =>
        mongo.db().command({ collMod: 'notifications', validator });
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

    it('is of somebody else who is there', async () => {
      const [zoe] = await people('zoe');
      await expect(block(zoe!, zoe!)).rejects.toMatchObject({ status: 422 });
      await expect(
        zoe!.client.call('blockPerson', { body: { userId: '0'.repeat(26) } }),
      ).rejects.toMatchObject({ status: 404 });
    });
  });

  describe('a rest from sharing', () => {
    it('shows what was shown last, and then what is; nothing of it is told late', async () => {
      const [abe, bea] = await people('abe', 'bea');
      await createFriendship(abe!, bea!);
      await abe!.client.call('recordPuff', { body: { quantity: 3 } });
      const atBea = await bea!.connect();
      const until = new Date(app.clock.now() + 10 * minuteMs).toISOString();
      const begun = await abe!.client.call('putGhost', { body: { until } });
      expect(begun).toEqual({ since: new Date(app.clock.now()).toISOString(), until });
      expect((await atBea.next('friendUpdated')).friend).toMatchObject({
        resting: true,
        summary: { todayCount: 3 },
      });
      app.clock.advance(minuteMs);
      const hidden = randomUUID();
      await abe!.client.call('recordPuff', { body: { id: hidden, quantity: 4 } });
      expect(await friendsOf(bea!)).toMatchObject([{ resting: true, summary: { todayCount: 3 } }]);
      // Asked for again, it goes on as it is.
      expect(await abe!.client.call('putGhost', { body: { until: null } })).toEqual({
        ...begun,
        until: null,
      });
      await abe!.client.call('putGhost', { body: { until } });
      // By the clock alone, before anything has noted it.
      app.clock.advance(9 * minuteMs);
      const [after] = await friendsOf(bea!);
      expect(after).toMatchObject({ summary: { todayCount: 7 } });
      expect(after).not.toHaveProperty('resting');
      expect(await abe!.client.call('getMe')).not.toHaveProperty('ghost');
      const ended = await atBea.next('friendUpdated', {
        where: ({ friend }) => friend.resting === undefined,
      });
      expect(ended.friend.summary).toMatchObject({ todayCount: 7 });
      await abe!.client.call('deletePuff', { params: { id: hidden } });
      await abe!.client.call('recordPuff', { body: { quantity: 1 } });
      expect(await atBea.next('friendPuff')).toMatchObject({ count: 1, todayCount: 4 });
      expect(atBea.received('friendPuff')).toHaveLength(1);
      expect(atBea.received('friendPuffRetracted')).toEqual([]);
      atBea.close();
    });

    it('ends in the future, and any number of times', async () => {
      const [cal] = await people('cal');
      const until = new Date(app.clock.now()).toISOString();
      await expect(cal!.client.call('putGhost', { body: { until } })).rejects.toMatchObject({
        status: 422,
        problem: { errors: [{ path: 'until' }] },
      });
      for (let round = 0; round < 2; round++) await cal!.client.call('deleteGhost');
    });

    it('lets requests through: that somebody rests is not told to those who ask', async () => {
      const [dea, eli] = await people('dea', 'eli');
      await dea!.client.call('putGhost', { body: { until: null } });
      expect(await ask(eli!, dea!)).toEqual(sent);
      const requestId = (await receivedBy(dea!))[0]!.id;
      await dea!.client.call('acceptFriend', { body: { requestId } });
      expect(await friendsOf(eli!)).toMatchObject([{ resting: true, summary: { todayCount: 0 } }]);
    });
  });

  describe('reports', () => {
    const report = (by: Person, userId: string) =>
      by.client.call('reportPerson', { body: { userId, reason: 'name', note: 'rude' } });

    it('of three different people hide a name from all others', async () => {
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

    it('of nobody are answered the same, and are ten a day', async () => {
      const [fin] = await people('fin');
      expect(await report(fin!, '0'.repeat(26))).toEqual({ status: 'received' });
      expect(await mongo.db().collection('userreports').countDocuments({ reporter: fin!.userId })).toBe(0);
      const others = await people(...range(11).map((index) => `other ${index}`));
      for (const { userId } of others.slice(1)) await report(fin!, userId);
      await expect(report(fin!, others[0]!.userId)).rejects.toMatchObject({ code: 'rate-limited' });
    });
  });
});
