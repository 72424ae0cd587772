import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import {
  createFriendship,
  eventually,
  startTestApp,
  type Person,
  type TestApp,
  type RecordedSocket,
  recordEvents,
} from '../src/index.ts';

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('the main path', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp({ now: '2026-10-21T10:00:00Z' });
  });
  afterAll(() => app.close());

  it('signs in with Apple, takes a puff, and sees the counts change at once', async () => {
    const alice = await app.person('alice');
    const socket = await alice.connect();
    const id = randomUUID().toUpperCase();
    const created = await alice.client.send('recordPuff', { body: { id, quantity: 3, trigger: ' coffee ' } });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({
      status: 'created',
      puff: {
        id: id.toLowerCase(),
        timestamp: '2026-10-21T10:00:00.000Z',
        day: '2026-10-21',
        quantity: 3,
        trigger: 'coffee',
        product: 'vape',
        backdated: false,
        revision: 1,
      },
      stats: {
        userId: alice.userId,
        revision: 1,
        today: '2026-10-21',
        dailyPuffCount: 3,
        weeklyPuffCount: 3,
        monthlyPuffCount: 3,
        totalPuffCount: 3,
        lastPuffAt: '2026-10-21T10:00:00.000Z',
        dailyLimit: null,
        average7: null,
      },
    });
    expect(await socket.next('statsUpdate')).toMatchObject({ stats: { totalPuffCount: 3 } });

    const again = await alice.client.send('recordPuff', { body: { id, quantity: 9 } });
    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({
      status: 'duplicate',
      puff: { id: id.toLowerCase(), quantity: 3 },
      stats: { totalPuffCount: 3 },
    });
    expect(await alice.client.call('getStats')).toMatchObject({ totalPuffCount: 3 });
    socket.close();
  });

  it('shows a puff live to a friend only', async () => {
    const [dora, emil, frank] = [
      await app.person('dora'),
      await app.person('emil'),
      await app.person('frank'),
    ];
    const [atDora, atEmil, atFrank] = [await dora.connect(), await emil.connect(), await frank.connect()];
    await createFriendship(dora, emil);

    const { puff, stats } = await atDora.puff({ quantity: 2 });
    expect(puff).toMatchObject({ quantity: 2 });
    expect(stats.dailyPuffCount).toBe(2);
    expect(await atEmil.next('friendPuff')).toEqual({
      friendId: dora.userId,
      friendName: 'Dora',
      count: 2,
      todayCount: 2,
      dailyLimit: null,
    });
    expect(await atDora.next('statsUpdate')).toMatchObject({ stats: { totalPuffCount: 2 } });

    // Frank's own puff comes after anything that could have been sent to him for Dora's.
    await atFrank.puff();
    await atFrank.next('statsUpdate');
    expect(atFrank.received('friendPuff')).toEqual([]);
    expect(atEmil.received('statsUpdate')).toEqual([]);
    expect(atDora.received('puffRecorded')).toEqual([]);
    for (const socket of [atDora, atEmil, atFrank]) socket.close();
  });

  it("sends a puff to the owner's other devices, and only stats for a batch", async () => {
    const phone = await app.person('gina');
    const tablet = await phone.signInAgain();
    const [atPhone, atTablet] = [await phone.connect(), await tablet.connect()];
    const { puff } = await atPhone.puff();
    expect(await atTablet.next('puffRecorded')).toEqual({ puff });
    await atPhone.puffs(range(3).map(() => ({ id: randomUUID(), timestamp: '2026-10-21T09:59:00Z' })));
    expect(await atTablet.next('statsUpdate', { where: ({ stats }) => stats.revision === 4 })).toMatchObject({
      stats: { totalPuffCount: 4 },
    });
    expect(atTablet.received('puffRecorded')).toHaveLength(1);
    expect(atPhone.received('puffRecorded')).toEqual([]);
    for (const socket of [atPhone, atTablet]) socket.close();
  });

  it('sends friends no event for old puffs, and one event for a batch', async () => {
    const [hugo, ida] = [await app.person('hugo'), await app.person('ida')];
    await createFriendship(hugo, ida);
    const [atHugo, atIda] = [await hugo.connect(), await ida.connect()];
    const at = (minutesAgo: number) => new Date(app.clock.now() - minutesAgo * 60_000).toISOString();
    await atHugo.puff({ timestamp: at(11) });
    const { results } = await atHugo.puffs([
      { id: randomUUID(), timestamp: at(60) },
      { id: randomUUID(), timestamp: at(10), quantity: 2 },
      { id: randomUUID(), timestamp: at(1) },
    ]);
    expect(results.map(({ status }) => status)).toEqual(['created', 'created', 'created']);
    expect(await atIda.next('friendPuff')).toMatchObject({ count: 3, todayCount: 5 });
    await atHugo.puff();
    expect(await atIda.next('friendPuff')).toMatchObject({ count: 1, todayCount: 6 });
    for (const socket of [atHugo, atIda]) socket.close();
  });

  it('takes the same id of two people as two puffs', async () => {
    const [jan, kim] = [await app.person('jan'), await app.person('kim')];
    const id = randomUUID();
    const answers = await Promise.all(
      [jan, kim].map(({ client }) => client.call('recordPuff', { body: { id } })),
    );
    expect(answers.map(({ status }) => status)).toEqual(['created', 'created']);
  });

  it('takes 200 puffs of one person at once as 200, over both ways', async () => {
    const lena = await app.person('lena');
    const socket = await lena.connect();
    const answers = await Promise.all(
      range(200).map((index) => (index % 2 ? socket.puff() : lena.client.call('recordPuff'))),
    );
    expect(new Set(answers.map(({ puff }) => puff?.revision))).toEqual(
      new Set(range(200).map((index) => index + 1)),
    );
    expect(await lena.client.call('getStats')).toMatchObject({ totalPuffCount: 200, revision: 200 });
    socket.close();
  });

  it('answers each item of a batch by itself', async () => {
    const mona = await app.person('mona');
    const [first, second] = [randomUUID(), randomUUID()];
    const timestamp = '2026-10-21T08:00:00Z';
    const answer = await mona.client.call('recordPuffBatch', {
      body: {
        puffs: [
          { id: first, timestamp },
          { id: second, timestamp: '2026-10-21T10:06:00Z' },
          { id: 'x', timestamp },
          { id: randomUUID(), timestamp: '2016-10-20T10:00:00Z' },
          { id: first.toUpperCase(), timestamp },
          { id: randomUUID(), timestamp: '2026-10-21T10:04:00Z', timeZone: 'Mars/Olympus' },
          7,
          { id: randomUUID(), timestamp, quantity: 51 },
        ],
      },
    });
    expect(answer.results).toMatchObject([
      { id: first, status: 'created' },
      { id: second, status: 'rejected', code: 'timestamp-in-future', serverTime: '2026-10-21T10:00:00.000Z' },
      { id: null, status: 'rejected', code: 'invalid' },
      { status: 'rejected', code: 'too-old' },
      { id: first, status: 'duplicate' },
      { status: 'created' },
      { id: null, status: 'rejected', code: 'invalid' },
      { status: 'rejected', code: 'invalid', errors: [{ path: 'quantity' }] },
    ]);
    expect(answer.stats.totalPuffCount).toBe(2);
    const { puffs } = await mona.client.call('listPuffs');
    expect(puffs[0]).toMatchObject({
      timestamp: '2026-10-21T10:00:00.000Z',
      timeZone: 'Europe/Berlin',
      timeZoneInferred: true,
    });
  });

  it('stores 499 of 500 where one is bad', async () => {
    const omar = await app.person('omar');
    const puffs = range(500).map((index) => ({
      id: randomUUID(),
      timestamp: '2026-10-21T08:00:00Z',
      quantity: index === 250 ? 0 : 1,
    }));
    const { results, stats } = await omar.client.call('recordPuffBatch', { body: { puffs } });
    expect(results.flatMap(({ status }, index) => (status === 'created' ? [] : [[index, status]]))).toEqual([
      [250, 'rejected'],
    ]);
    expect(stats.totalPuffCount).toBe(499);
  });

  it('lists puffs newest first, page by page, between two instants', async () => {
    const nora = await app.person('nora');
    // Three at the same instant, so that a page can end between them.
    const instants = ['T01', 'T02', 'T02', 'T02', 'T03', 'T04'].map((hour) => `2026-10-20${hour}:00:00.000Z`);
    await nora.client.call('recordPuffBatch', {
      body: { puffs: instants.map((timestamp) => ({ id: randomUUID(), timestamp })) },
    });
    const query = { from: '2026-10-20T02:00:00Z', to: '2026-10-20T04:00:00Z', limit: '2' };
    const first = await nora.client.call('listPuffs', { query });
    const second = await nora.client.call('listPuffs', {
      query: { ...query, cursor: first.nextCursor ?? '' },
    });
    const seen = [...first.puffs, ...second.puffs];
    expect(seen.map(({ timestamp }) => timestamp)).toEqual([
      instants[4],
      instants[3],
      instants[2],
      instants[1],
    ]);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(4);
    expect(second.nextCursor).toBeNull();
    const other = await app.person('somebody else');
    await expect(
      other.client.call('listPuffs', { query: { cursor: first.nextCursor ?? '' } }),
    ).rejects.toMatchObject({ code: 'invalid-cursor' });
  });

  it('makes a phone that was away right again by `ready`', async () => {
    const [otto, pia] = [await app.person('otto'), await app.person('pia')];
    await createFriendship(otto, pia);
    await pia.client.call('recordPuff');
    const socket = recordEvents(otto.client.connect());
    expect(await socket.next('ready')).toMatchObject({
      userId: otto.userId,
      seq: 1,
      stats: { totalPuffCount: 0 },
      friends: [{ userId: pia.userId, theirShareLevel: 'live', summary: { todayCount: 1 } }],
    });
    socket.close();
  });

  describe('friendship', () => {
    /** Whether a puff of `atOwn` is told at a friend's socket; their own puff comes after it. */
    const isHeard = async (
      atOwn: RecordedSocket,
      friend: Person,
      atFriend: RecordedSocket,
    ): Promise<boolean> => {
      const before = atFriend.received('friendPuff').length;
      await atOwn.puff();
      await friend.client.call('recordPuff');
      await atFriend.next('statsUpdate');
      return atFriend.received('friendPuff').length > before;
    };

    it.each<[string, (quinn: Person, rosa: Person) => Promise<unknown>]>([
      [
        'a lower level',
        (quinn, rosa) =>
          quinn.client.call('patchFriend', {
            params: { userId: rosa.userId },
            body: { shareLevel: 'summary' },
          }),
      ],
      [
        'a mute',
        (quinn, rosa) =>
          rosa.client.call('patchFriend', { params: { userId: quinn.userId }, body: { muted: true } }),
      ],
      ['a removal', (quinn, rosa) => quinn.client.call('removeFriend', { params: { userId: rosa.userId } })],
      [
        'a withdrawn consent',
        async (quinn) => {
          const versions = await quinn.client.call('getLegalVersions');
          await quinn.client.call('putConsents', {
            body: {
              consents: [
                { purpose: 'friends-sharing', version: versions['friends-sharing'], granted: false },
              ],
            },
          });
        },
      ],
    ])('%s ends live events on open sockets', async (what, change) => {
      const [quinn, rosa] = [await app.person(`quinn ${what}`), await app.person(`rosa ${what}`)];
      const [atQuinn, atRosa] = [await quinn.connect(), await rosa.connect()];
      await createFriendship(quinn, rosa);
      await atQuinn.puff();
      await atRosa.next('friendPuff');
      await change(quinn, rosa);
      // At once in the process that was asked (live-audience.test.ts), within 5 s in the others.
      await eventually(`${what} ends them`, async () => !(await isHeard(atQuinn, rosa, atRosa)));
      expect(await isHeard(atQuinn, rosa, atRosa)).toBe(false);
      for (const socket of [atQuinn, atRosa]) socket.close();
    });
  });

  it('writes no puff without its consents, and says which are missing', async () => {
    const sven = await app.person('sven', { consents: ['terms'] });
    await expect(sven.client.call('recordPuff')).rejects.toMatchObject({
      code: 'consent-required',
      problem: { purposes: ['health-processing'] },
    });
    expect((await sven.client.call('listPuffs')).puffs).toEqual([]);
  });

  it('lists the caller and friends on the board, without ranks while there is nothing to rank', async () => {
    const [tara, ugo] = [await app.person('tara'), await app.person('ugo')];
    await createFriendship(tara, ugo);
    const board = await tara.client.call('getLeaderboard');
    const unranked = (person: Person, name: string) => ({
      rank: null,
      userId: person.userId,
      name,
      value: null,
      reason: 'not-enough-data',
    });
    expect(board).toEqual({
      board: 'reduction',
      period: { from: '2026-10-14', to: '2026-10-20' },
      entries: [unranked(tara, 'Tara'), unranked(ugo, 'Ugo')],
      me: unranked(tara, 'Tara'),
    });
  });

  it('ends a session everywhere at once on logout', async () => {
    const vera = await app.person('vera');
    const socket = await vera.connect();
    const token = vera.client.accessToken() ?? '';
    await vera.client.signOut();
    expect(await socket.next('sessionEnded')).toEqual({ reason: 'logout' });
    const answer = await fetch(`${app.url}/users/me`, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ code: 'session-ended' });
    socket.close();
  });
});
