import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Board, Leaderboard } from '@pufftrack/contract';
import { createFriendship, startTestApp, type Person, type TestApp } from '../src/index.ts';

const dayMs = 86_400_000;
/** A Monday. */
const firstDay = Date.parse('2026-09-28T00:00:00Z');
const dayOf = (number: number) => new Date(firstDay + number * dayMs).toISOString().slice(0, 10);

describe('boards', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp({ now: new Date(firstDay).toISOString() });
  });
  afterAll(() => app.close());

  const boardOf = ({ client }: Person, board: Board = 'reduction'): Promise<Leaderboard> =>
    client.call('getLeaderboard', { query: { board } });
  const befriendAll = async (viewer: Person, people: readonly Person[]) => {
    for (const person of people) await createFriendship(person, viewer);
  };
  const puff = ({ client }: Person, quantity: number, timestamp?: string) =>
    client.call('recordPuff', { body: { quantity, ...(timestamp !== undefined && { timestamp }) } });
  const noneOn = ({ client }: Person, ...days: number[]) =>
    client.call('checkIn', { body: { days: days.map(dayOf), none: true } });
  /** The entries of a board by name: rank and value, or the reason without a rank. */
  const seen = ({ entries }: Leaderboard) =>
    Object.fromEntries(
      entries.map(({ name, rank, value, reason }): [string, string] => [
        name ?? '',
        reason ?? `${rank}: ${value}`,
      ]),
    );

  /** Records the quantity of each person at noon UTC of each day. */
  const live = async (from: number, to: number, rates: readonly (readonly [Person, number])[]) => {
    for (let day = from; day <= to; day++) {
      app.clock.set(firstDay + day * dayMs + dayMs / 2);
      for (const [person, quantity] of rates) if (quantity > 0) await puff(person, quantity);
    }
  };
  /** The morning of a day, before any puff; in Auckland it is the evening. */
  const morning = (day: number) => {
    app.clock.set(firstDay + day * dayMs + dayMs / 3);
  };

  it('rank people who record daily for three weeks', async () => {
    const ann = await app.person('ann');
    const ben = await app.person('ben', { timeZone: 'America/New_York' });
    const cat = await app.person('cat');
    const dan = await app.person('dan', { timeZone: 'Pacific/Auckland' });
    const eve = await app.person('eve');
    await befriendAll(ann, [ben, cat, dan, eve]);
    const setLimit = ({ client }: Person, dailyLimit: number) =>
      client.call('putGoal', { body: { mode: 'reduce', dailyLimit } });

    const atFirst = [ann, ben, cat, dan].map((person) => [person, 10] as const);
    await live(0, 3, atFirst);
    morning(4);
    expect(seen(await boardOf(ann))).toMatchObject({ Ann: 'not-enough-data', Ben: 'not-enough-data' });
    await live(4, 4, atFirst);
    morning(5);
    // Noon UTC is the small hours of the next day in Auckland: Dan's fifth day is not over.
    expect(seen(await boardOf(ann, 'puffFreeDays'))).toEqual({
      Ann: 'new-account',
      Ben: 'new-account',
      Cat: 'new-account',
      Dan: 'not-enough-data',
      Eve: 'not-enough-data',
    });
    await live(5, 6, atFirst);
    morning(7);
    for (const [person, limit] of [
      [ann, 8],
      [ben, 5],
      [cat, 4],
    ] as const)
      await setLimit(person, limit);
    const later = [
      [ann, 8],
      [ben, 5],
      [cat, 5],
      [dan, 12],
    ] as const;
    await live(7, 7, later);
    morning(8);
    // The seventh day of three of them has been over for a day, and a baseline is frozen after two.
    expect(seen(await boardOf(ann))).toMatchObject({ Ann: 'no-baseline', Ben: 'no-baseline' });
    expect(seen(await boardOf(ann, 'underLimitDays'))).toMatchObject({
      Ann: '1: 1',
      Ben: '1: 1',
      Cat: '3: 0',
    });
    await live(8, 8, later);
    morning(9);
    // Over the days 2 to 8: five of 10 and two of 5 puffs.
    expect(seen(await boardOf(ann))).toEqual({
      Ben: '1: 0.14',
      Cat: '1: 0.14',
      Ann: '3: 0.06',
      Dan: 'no-baseline',
      Eve: 'not-enough-data',
    });

    await live(9, 16, later);
    await puff(eve, 1);
    morning(17);
    const board = await boardOf(ann);
    expect(board).toEqual({
      board: 'reduction',
      period: { from: dayOf(10), to: dayOf(16) },
      entries: [
        { rank: 1, userId: ben.userId, name: 'Ben', value: 0.5 },
        { rank: 1, userId: cat.userId, name: 'Cat', value: 0.5 },
        { rank: 3, userId: ann.userId, name: 'Ann', value: 0.2 },
        { rank: 4, userId: dan.userId, name: 'Dan', value: -0.2 },
        { rank: null, userId: eve.userId, name: 'Eve', value: null, reason: 'not-enough-data' },
      ],
      me: { rank: 3, userId: ann.userId, name: 'Ann', value: 0.2 },
    });
    expect(seen(await boardOf(ann, 'underLimitDays'))).toMatchObject({
      Ann: '1: 7',
      Ben: '1: 7',
      Cat: '3: 0',
      Dan: '3: 0',
    });
    expect(seen(await boardOf(ann, 'puffFreeDays'))).toMatchObject({ Ann: '1: 0', Dan: '1: 0' });
    // The period is the caller's: in Auckland the day is one further at noon.
    app.clock.set(firstDay + 17 * dayMs + dayMs / 2);
    expect((await boardOf(dan)).period).toEqual({ from: dayOf(11), to: dayOf(17) });
    expect((await boardOf(ben)).period).toEqual({ from: dayOf(10), to: dayOf(16) });
    // Ann is Dan's only friend, and both see the same values.
    expect(seen(await boardOf(dan))).toMatchObject({ Ann: '1: 0.2', Dan: '2: -0.2' });
  });

  it('count check-ins for three days, and omit a friend who lowered the share level', async () => {
    const start = 20;
    morning(start);
    const fay = await app.person('fay');
    const gil = await app.person('gil');
    await befriendAll(fay, [gil]);
    await live(start, start + 6, [
      [fay, 4],
      [gil, 4],
    ]);
    morning(start + 14);
    await noneOn(fay, ...[7, 8, 9, 10, 11, 12, 13].map((day) => start + day));
    expect(seen(await boardOf(fay, 'puffFreeDays'))).toMatchObject({ Fay: 'not-enough-data' });
    for (const day of [14, 17]) {
      morning(start + day + 3);
      await noneOn(fay, start + day, start + day + 1, start + day + 2);
    }
    morning(start + 21);
    // Four days before: it stands for her own streak, and not on boards.
    await noneOn(gil, ...[14, 15, 16, 17, 18, 19, 20].map((day) => start + day));
    expect(seen(await boardOf(fay, 'puffFreeDays'))).toEqual({ Fay: '1: 6', Gil: 'not-enough-data' });
    // Of the seven days one more counts by a puff that came in time.
    await puff(fay, 1, `${dayOf(start + 20)}T12:00:00Z`);
    expect(seen(await boardOf(fay, 'puffFreeDays'))).toMatchObject({ Fay: '1: 6' });

    await gil.client.call('patchFriend', {
      params: { userId: fay.userId },
      body: { shareLevel: 'milestones' },
    });
    expect(seen(await boardOf(fay, 'puffFreeDays'))).toEqual({ Fay: '1: 6' });
    expect(seen(await boardOf(gil, 'puffFreeDays'))).toMatchObject({ Fay: '1: 6' });
  });

  it('freeze the baseline 48 hours after the seventh day, independent of reads', async () => {
    const start = 50;
    morning(start);
    const hal = await app.person('hal');
    const ida = await app.person('ida');
    const people = [hal, ida] as const;
    const early = async (person: Person, quantity: number) => {
      for (let day = 0; day < 7; day++) await puff(person, quantity, `${dayOf(start + day)}T12:30:00Z`);
    };
    await live(
      start,
      start + 6,
      people.map((person) => [person, 10] as const),
    );
    morning(start + 8);
    // So late it makes the days worse, and the baseline higher: it is not frozen yet.
    await early(ida, 10);
    await live(
      start + 8,
      start + 8,
      people.map((person) => [person, 5] as const),
    );
    // No board is read: the job of the day rollover freezes the baseline.
    morning(start + 9);
    await app.jobs.run('daily-stats', dayOf(start + 8));
    await early(hal, 30);
    await early(ida, 30);
    await live(
      start + 9,
      start + 16,
      people.map((person) => [person, 5] as const),
    );
    morning(start + 17);
    expect(seen(await boardOf(hal))).toEqual({ Hal: '1: 0.5' });
    expect(seen(await boardOf(ida))).toEqual({ Ida: '1: 0.75' });
  });

  it('ignore days with only late puffs and days with late removals', async () => {
    const start = 70;
    morning(start);
    const nia = await app.person('nia');
    await live(start, start + 6, [[nia, 10]]);
    await live(start + 9, start + 13, [[nia, 5]]);
    const small = await puff(nia, 5, `${dayOf(start + 12)}T20:00:00Z`);
    morning(start + 14);
    await puff(nia, 1, `${dayOf(start + 7)}T12:00:00Z`);
    await puff(nia, 1, `${dayOf(start + 8)}T12:00:00Z`);
    // Days 7 and 8 would have made it 0.54.
    expect(seen(await boardOf(nia))).toEqual({ Nia: '1: 0.4' });
    morning(start + 14.75);
    const params = { id: small.puff?.id ?? '' };
    await nia.client.call('deletePuff', { params });
    expect(seen(await boardOf(nia))).toEqual({ Nia: 'not-enough-data' });
    await nia.client.call('restorePuff', { params });
    expect(seen(await boardOf(nia))).toEqual({ Nia: '1: 0.4' });
  });

  it('do not count a day to which a puff is restored late', async () => {
    const start = 150;
    morning(start);
    const quin = await app.person('quin');
    await live(start, start + 6, [[quin, 10]]);
    await live(start + 9, start + 12, [[quin, 5]]);
    await live(start + 13, start + 13, [[quin, 30]]);
    const { puff: small } = await puff(quin, 1);
    const { puffs } = await quin.client.call('listPuffs', { query: { limit: '2' } });
    for (const { id } of puffs) await quin.client.call('deletePuff', { params: { id } });
    morning(start + 16);
    expect(seen(await boardOf(quin))).toEqual({ Quin: 'not-enough-data' });
    // One of 31, which was deleted on its day.
    await quin.client.call('restorePuff', { params: { id: small?.id ?? '' } });
    expect(seen(await boardOf(quin))).toEqual({ Quin: 'not-enough-data' });
  });

  it('do not count a day that lost puffs late, by any kind of edit', async () => {
    const start = 110;
    morning(start);
    const pam = await app.person('pam');
    await live(start, start + 6, [[pam, 10]]);
    await live(start + 9, start + 13, [[pam, 5]]);
    const evening = `${dayOf(start + 12)}T20:00:00Z`;
    const { puff: small } = await puff(pam, 5, evening);
    morning(start + 14.75);
    const params = { id: small?.id ?? '' };
    const edit = (body: { quantity?: number; timestamp?: string }) =>
      pam.client.call('editPuff', { params, body });
    const now = new Date(app.clock.now()).toISOString();
    const [ranked, tooFew] = ['1: 0.4', 'not-enough-data'];
    const steps: [string, () => Promise<unknown>, string][] = [
      ['at first', () => Promise.resolve(), ranked],
      ['less', () => edit({ quantity: 1 }), tooFew],
      ['as much again', () => edit({ quantity: 5 }), ranked],
      ['another hour', () => edit({ timestamp: `${dayOf(start + 12)}T09:00:00Z` }), ranked],
      ['moved to today', () => edit({ timestamp: now }), tooFew],
      ['deleted there', () => pam.client.call('deletePuff', { params }), tooFew],
      ['restored there', () => pam.client.call('restorePuff', { params }), tooFew],
      // A day of which nothing was known is not confirmed by a puff that stood on another one.
      ['moved to an empty day', () => edit({ timestamp: `${dayOf(start + 8)}T09:00:00Z` }), tooFew],
      ['back', () => edit({ timestamp: evening }), ranked],
    ];
    for (const [name, step, expected] of steps) {
      await step();
      expect([name, seen(await boardOf(pam))]).toEqual([name, { Pam: expected }]);
    }
    await app.drain();
    expect(await app.jobs.run('reconcile')).toMatchObject({ figures: { drift: 0 } });
  });

  it('omit friends who do not share, without a reason', async () => {
    morning(90);
    const consents = ['terms', 'health-processing', 'friends-sharing', 'push'] as const;
    const jan = await app.person('jan');
    const kim = await app.person('kim', { consents });
    const lou = await app.person('lou');
    const max = await app.person('max');
    const alone = await boardOf(jan);
    await befriendAll(jan, [kim, lou, max]);
    const share = (person: Person, shareLevel: 'none' | 'milestones' | 'summary') =>
      person.client.call('patchFriend', { params: { userId: jan.userId }, body: { shareLevel } });
    const consent = async (
      { client }: Person,
      purpose: 'friends-sharing' | 'leaderboard',
      granted: boolean,
    ) => {
      const versions = await client.call('getLegalVersions');
      await client.call('putConsents', {
        body: { consents: [{ purpose, version: versions[purpose], granted }] },
      });
    };
    await share(lou, 'none');
    await consent(max, 'friends-sharing', false);
    expect(await boardOf(jan)).toEqual(alone);

    await consent(kim, 'leaderboard', true);
    await share(lou, 'summary');
    await consent(max, 'friends-sharing', true);
    expect(Object.keys(seen(await boardOf(jan)))).toEqual(['Jan', 'Kim', 'Lou', 'Max']);

    // A user without the leaderboard consent sees boards, with an entry for themselves.
    await consent(jan, 'leaderboard', false);
    expect(Object.keys(seen(await boardOf(jan)))).toEqual(['Jan', 'Kim', 'Lou', 'Max']);
    expect(Object.keys(seen(await boardOf(kim)))).toEqual(['Kim']);
  });
});
