import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ShareLevel } from '@pufftrack/contract';
import { createFriendship, startTestApp, type Person, type TestApp } from '../src/index.ts';

const dayMs = 86_400_000;
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('friends', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app.close());

  const people = (...names: string[]) => Promise.all(names.map((name) => app.person(name)));
  const codeOf = async ({ client }: Person) => (await client.call('getMe')).friendCode;
  const sendRequest = (from: Person, friendCode: string) =>
    from.client.send('requestFriend', { body: { friendCode } });
  const receivedBy = async ({ client }: Person) => (await client.call('listFriendRequests')).received;
  const sentBy = async ({ client }: Person) => (await client.call('listFriendRequests')).sent;
  const friendsOf = async ({ client }: Person) => (await client.call('listFriends')).friends;

  it('become friends when the recipient accepts', async () => {
    const [ann, ben] = await people('ann', 'ben');
    const code = await codeOf(ben!);
    const typed = ` ${code.slice(0, 5).toLowerCase()}-${code.slice(5)} `;
    expect((await sendRequest(ann!, typed)).body).toEqual({ status: 'sent' });
    expect(await sentBy(ann!)).toMatchObject([{ friendCode: typed.trim() }]);
    const [request] = await receivedBy(ben!);
    expect(request).toMatchObject({ from: { userId: ann!.userId, name: 'Ann' } });
    const { friend } = await ben!.client.call('acceptFriend', { body: { requestId: request!.id } });
    expect(friend).toEqual({
      userId: ann!.userId,
      name: 'Ann',
      since: new Date(app.clock.now()).toISOString(),
      shareLevel: 'live',
      theirShareLevel: 'live',
      muted: false,
      summary: {
        todayCount: 0,
        dailyLimit: null,
        average7: null,
        changeVsPreviousWeek: null,
        streakDays: 0,
        underLimitDays: 0,
      },
    });
    expect(await friendsOf(ann!)).toMatchObject([{ userId: ben!.userId, name: 'Ben' }]);
    expect([...(await receivedBy(ben!)), ...(await sentBy(ann!))]).toEqual([]);
  });

  it('P3: only the recipient can accept or reject a friend request, not its sender', async () => {
    const [cleo, dan, eve] = await people('cleo', 'dan', 'eve');
    await sendRequest(cleo!, await codeOf(dan!));
    const requestId = (await receivedBy(dan!))[0]!.id;
    for (const person of [cleo!, eve!]) {
      await expect(person.client.call('acceptFriend', { body: { requestId } })).rejects.toMatchObject({
        code: 'not-found',
      });
      await expect(person.client.call('rejectFriend', { body: { requestId } })).rejects.toMatchObject({
        code: 'not-found',
      });
    }
    expect(await receivedBy(dan!)).toHaveLength(1);
    expect(await friendsOf(cleo!)).toEqual([]);
  });

  it('give every friend request the same answer, and list each one without a name', async () => {
    const [fay, gus] = await people('fay', 'gus');
    const asks = ['NOBODY0000', await codeOf(fay!), await codeOf(gus!), await codeOf(gus!)];
    for (const code of asks) {
      const { status, body } = await sendRequest(fay!, code);
      expect({ status, body }).toEqual({ status: 202, body: { status: 'sent' } });
    }
    expect((await sentBy(fay!)).map(({ friendCode }) => friendCode).sort()).toEqual(asks.sort());
    expect(Object.keys((await sentBy(fay!))[0]!).sort()).toEqual([
      'createdAt',
      'expiresAt',
      'friendCode',
      'id',
    ]);
    expect(await receivedBy(gus!)).toHaveLength(1);
    expect(await receivedBy(fay!)).toEqual([]);
  });

  it('do not reveal a decline to the sender; another friend request is not delivered for 30 days', async () => {
    const [hal, ivy] = await people('hal', 'ivy');
    await sendRequest(hal!, await codeOf(ivy!));
    const requestId = (await receivedBy(ivy!))[0]!.id;
    await ivy!.client.call('rejectFriend', { body: { requestId } });
    expect(await sentBy(hal!)).toHaveLength(1);
    await sendRequest(hal!, await codeOf(ivy!));
    expect(await receivedBy(ivy!)).toEqual([]);
    app.clock.advance(30 * dayMs + 1);
    expect(await sentBy(hal!)).toEqual([]);
    await sendRequest(hal!, await codeOf(ivy!));
    expect(await receivedBy(ivy!)).toHaveLength(1);
  });

  it('become friends by crossing friend requests, also by concurrent ones', async () => {
    const [jim, kay, leo, mia] = await people('jim', 'kay', 'leo', 'mia');
    await sendRequest(jim!, await codeOf(kay!));
    await sendRequest(kay!, await codeOf(jim!));
    expect(await friendsOf(jim!)).toHaveLength(1);
    const [codeOfLeo, codeOfMia] = [await codeOf(leo!), await codeOf(mia!)];
    await Promise.all([sendRequest(leo!, codeOfMia), sendRequest(mia!, codeOfLeo)]);
    expect(await friendsOf(leo!)).toHaveLength(1);
    expect(await receivedBy(leo!)).toEqual([]);
    expect(await receivedBy(mia!)).toEqual([]);
  });

  it('are created once when two devices accept at once', async () => {
    const [ned, oda] = await people('ned', 'oda');
    await sendRequest(ned!, await codeOf(oda!));
    const requestId = (await receivedBy(oda!))[0]!.id;
    const accepted = await Promise.all(
      range(8).map(() => oda!.client.call('acceptFriend', { body: { requestId } })),
    );
    expect(new Set(accepted.map(({ friend }) => friend.userId))).toEqual(new Set([ned!.userId]));
    expect(await friendsOf(ned!)).toHaveLength(1);
    await oda!.client.call('removeFriend', { params: { userId: ned!.userId } });
    await expect(oda!.client.call('acceptFriend', { body: { requestId } })).rejects.toMatchObject({
      code: 'not-found',
    });
    expect(await friendsOf(ned!)).toEqual([]);
  });

  it('can send 20 friend requests a day and have 20 pending, also in parallel', async () => {
    const [pam] = await people('pam');
    const answers = await Promise.allSettled(range(25).map((index) => sendRequest(pam!, `CODE${index}`)));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(20);
    await expect(sendRequest(pam!, 'CODE99')).rejects.toMatchObject({ code: 'rate-limited', status: 429 });
    app.clock.advance(dayMs + 1);
    // A day later they are still pending.
    await expect(sendRequest(pam!, 'CODE99')).rejects.toMatchObject({ code: 'rate-limited' });
    app.clock.advance(29 * dayMs);
    expect((await sendRequest(pam!, 'CODE99')).status).toBe(202);
  });

  it('cannot send a friend request without the consent to share', async () => {
    const quin = await app.person('quin', { consents: ['terms', 'health-processing'] });
    await expect(sendRequest(quin, 'NOBODY0000')).rejects.toMatchObject({
      code: 'consent-required',
      problem: { purposes: ['friends-sharing'] },
    });
  });

  it.each<[ShareLevel, boolean]>([
    ['none', false],
    ['milestones', false],
    ['summary', true],
    ['live', true],
  ])(
    'with share level %s see a summary: %s, and never an email address, a time zone or a time',
    async (level, seen) => {
      const [rik, sue] = await people(`rik ${level}`, `sue ${level}`);
      await createFriendship(rik!, sue!, { one: level });
      await rik!.client.call('recordPuff', { body: { quantity: 4 } });
      const [rikSeenBySue] = await friendsOf(sue!);
      expect(rikSeenBySue).toMatchObject({ shareLevel: 'live', theirShareLevel: level });
      expect(rikSeenBySue!.summary).toEqual(
        seen
          ? {
              todayCount: 4,
              dailyLimit: null,
              average7: null,
              changeVsPreviousWeek: null,
              streakDays: 0,
              underLimitDays: 0,
            }
          : null,
      );
      expect(JSON.stringify(rikSeenBySue)).not.toMatch(/example\.com|Europe|lastPuffAt/);
    },
  );

  it('receive an event for a changed share level and a removal, and none for a mute', async () => {
    const [tim, una] = await people('tim', 'una');
    await createFriendship(tim!, una!);
    const atUna = await una!.connect();
    const params = { userId: una!.userId };
    await tim!.client.call('patchFriend', { params, body: { muted: true } });
    const { friend } = await tim!.client.call('patchFriend', { params, body: { shareLevel: 'milestones' } });
    expect(friend).toMatchObject({ shareLevel: 'milestones', muted: true });
    expect(await atUna.next('friendUpdated')).toMatchObject({
      friend: { userId: tim!.userId, theirShareLevel: 'milestones', muted: false, summary: null },
    });
    await tim!.client.call('removeFriend', { params });
    expect(await atUna.next('friendRemoved')).toEqual({ friendId: tim!.userId });
    expect(atUna.received('friendUpdated')).toHaveLength(1);
    await expect(tim!.client.call('removeFriend', { params })).rejects.toMatchObject({ code: 'not-found' });
    await expect(tim!.client.call('patchFriend', { params, body: { muted: false } })).rejects.toMatchObject({
      code: 'not-found',
    });
    atUna.close();
  });
});

describe('the devices of one user', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app.close());

  it('show the same friends after a change by any of them', async () => {
    const [abe, bea, cal, dot] = await Promise.all(
      ['abe', 'bea', 'cal', 'dot'].map((name) => app.person(name)),
    );
    const other = await abe!.signInAgain();
    const [atThis, atOther] = [await abe!.connect(), await other.connect()];
    const updated = async () => (await atOther.next('friendUpdated')).friend;
    const sendRequest = async (from: Person, to: Person) => {
      const { friendCode } = await to.client.call('getMe');
      await from.client.call('requestFriend', { body: { friendCode } });
    };

    await sendRequest(bea!, abe!);
    const [request] = (await abe!.client.call('listFriendRequests')).received;
    const { friend } = await abe!.client.call('acceptFriend', { body: { requestId: request!.id } });
    expect(await updated()).toEqual(friend);
    const params = { userId: bea!.userId };
    const change = { muted: true, shareLevel: 'summary' } as const;
    const changed = await abe!.client.call('patchFriend', { params, body: change });
    expect(changed.friend).toMatchObject(change);
    expect(await updated()).toEqual(changed.friend);
    await abe!.client.call('removeFriend', { params });
    expect(await atOther.next('friendRemoved')).toEqual({ friendId: bea!.userId });

    const { token } = await cal!.client.call('createInvite');
    await abe!.client.call('acceptInvite', { body: { token } });
    expect(await updated()).toMatchObject({ userId: cal!.userId });
    await abe!.client.call('blockPerson', { body: { userId: cal!.userId } });
    expect(await atOther.next('friendRemoved')).toEqual({ friendId: cal!.userId });
    expect([...atThis.received('friendUpdated'), ...atThis.received('friendRemoved')]).toEqual([]);

    // The response to a crossing friend request does not contain the friend, so the sending device gets the event too.
    await sendRequest(dot!, abe!);
    await sendRequest(abe!, dot!);
    for (const socket of [atThis, atOther])
      expect((await socket.next('friendUpdated')).friend).toMatchObject({ userId: dot!.userId });
    atThis.close();
    atOther.close();
  });
});

describe('consents and the profile', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app.close());

  it('allow and block writes of puffs at once, and never block reads', async () => {
    const vic = await app.person('vic');
    const versions = await vic.client.call('getLegalVersions');
    const say = (granted: boolean) =>
      vic.client.call('putConsents', {
        body: {
          consents: [{ purpose: 'health-processing', version: versions['health-processing'], granted }],
        },
      });
    await vic.client.call('recordPuff');
    await say(false);
    await expect(vic.client.call('recordPuff')).rejects.toMatchObject({ code: 'consent-required' });
    expect((await vic.client.call('listPuffs')).puffs).toHaveLength(1);
    expect(await vic.client.call('getStats')).toMatchObject({ totalPuffCount: 1 });
    app.clock.advance(1_000);
    const { consents } = await say(true);
    expect(consents.find(({ purpose }) => purpose === 'health-processing')).toEqual({
      purpose: 'health-processing',
      version: versions['health-processing'],
      granted: true,
      at: new Date(app.clock.now()).toISOString(),
    });
    await vic.client.call('recordPuff');
  });

  it('must name the version in force', async () => {
    const wim = await app.person('wim', { consents: [] });
    await expect(
      wim.client.call('putConsents', {
        body: { consents: [{ purpose: 'terms', version: '1999-01-01', granted: true }] },
      }),
    ).rejects.toMatchObject({
      code: 'consent-version',
      problem: { errors: [{ path: 'consents.0.version' }] },
    });
    expect((await wim.client.call('getConsents')).consents).toEqual([]);
  });

  it('can be withdrawn by an app that knows only an older version; a repeated withdrawal adds no row', async () => {
    const yan = await app.person('yan');
    const withdraw = (version: string) =>
      yan.client.call('putConsents', {
        body: { consents: [{ purpose: 'leaderboard', version, granted: false }] },
      });
    const { consents } = await withdraw('1999-01-01');
    expect(consents).toContainEqual(expect.objectContaining({ purpose: 'leaderboard', granted: false }));
    expect((await withdraw('1998-01-01')).consents).toEqual(consents);
  });

  it('are not needed for a report, whose note may have several lines', async () => {
    const zoe = await app.person('zoe');
    for (const note of ['first line\nsecond line', ''])
      expect(
        await zoe.client.call('reportPerson', { body: { userId: 'unknown', reason: 'spam', note } }),
      ).toEqual({ status: 'received' });
  });

  it('keep absent fields and reset fields that are null', async () => {
    const xia = await app.person('xia');
    const patch = (body: object) => xia.client.call('patchMe', { body });
    expect(await patch({ dayStartHour: 4, timeZone: 'Asia/Tokyo' })).toMatchObject({
      name: 'Xia',
      dayStartHour: 4,
      timeZone: 'Asia/Tokyo',
      email: 'xia@example.com',
    });
    expect(await patch({ name: null, dayStartHour: null })).toMatchObject({
      name: null,
      dayStartHour: 0,
      timeZone: 'Asia/Tokyo',
    });
    await expect(patch({ timeZone: 'Mars/Olympus' })).rejects.toMatchObject({
      code: 'invalid',
      problem: { errors: [{ path: 'timeZone' }] },
    });
    expect(await patch({ id: 'other', friendCode: 'MINE', createdAt: 0 })).toEqual(
      await xia.client.call('getMe'),
    );
  });

  it('move every count at once when the start of the day changes', async () => {
    const yan = await app.person('yan', { timeZone: 'UTC' });
    await yan.client.call('recordPuff', { body: { timestamp: '2026-10-21T02:00:00Z', timeZone: 'UTC' } });
    expect(await yan.client.call('getStats')).toMatchObject({ today: '2026-10-21', dailyPuffCount: 1 });
    await yan.client.call('patchMe', { body: { dayStartHour: 4 } });
    expect(await yan.client.call('getStats')).toMatchObject({ today: '2026-10-21', dailyPuffCount: 0 });
    expect((await yan.client.call('listPuffs')).puffs).toMatchObject([{ day: '2026-10-20' }]);
  });
});
