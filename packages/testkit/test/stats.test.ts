import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { startTestApp, type Person, type TestApp } from '../src/index.ts';

describe('stats', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp({ now: '2026-10-20T10:00:00Z' });
  });
  afterAll(() => app.close());

  const puff = (
    { client }: Person,
    timestamp: string,
    parts: { timeZone?: string; quantity?: number } = {},
  ) => client.call('recordPuff', { body: { id: randomUUID(), timestamp, ...parts } });
  const daysOf = async ({ client }: Person, from: string, to: string) =>
    (await client.call('getStatsDays', { query: { from, to } })).days;
  const countsOf = async (person: Person, from: string, to: string) =>
    (await daysOf(person, from, to)).map(({ count }) => count);
  const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);

  it('assign the night of a night-shift worker to the day on which it began, for the whole history', async () => {
    const nils = await app.person('nils');
    await puff(nils, '2026-10-16T20:00:00Z'); // Friday 22:00 in Berlin
    await puff(nils, '2026-10-17T01:30:00Z', { quantity: 2 }); // 03:30
    await puff(nils, '2026-10-17T02:00:00Z', { quantity: 4 }); // 04:00
    expect(await countsOf(nils, '2026-10-15', '2026-10-18')).toEqual([0, 1, 6, 0]);
    await nils.client.call('patchMe', { body: { dayStartHour: 4 } });
    const days = await daysOf(nils, '2026-10-15', '2026-10-18');
    expect(days.map(({ count }) => count)).toEqual([0, 3, 4, 0]);
    expect(days[1]?.hours.map((count, hour) => [hour, count]).filter(([, count]) => count)).toEqual([
      [3, 2],
      [22, 1],
    ]);
    // The wall clock showed Saturday at 03:30, although the puff belongs to Friday.
    const { bins } = await nils.client.call('getStatsHours');
    expect(bins.flatMap((count, hour) => (count ? [[hour, count]] : []))).toEqual([
      [4 * 24 + 22, 1],
      [5 * 24 + 3, 2],
      [5 * 24 + 4, 4],
    ]);
  });

  it('count both hours of the night in which the clock goes back', async () => {
    app.clock.set('2026-10-26T10:00:00Z');
    const berta = await app.person('berta');
    for (const instant of [
      '2026-10-24T22:30:00Z',
      '2026-10-25T00:30:00Z',
      '2026-10-25T01:30:00Z',
      '2026-10-25T22:59:59Z',
    ])
      await puff(berta, instant);
    const days = await daysOf(berta, '2026-10-24', '2026-10-26');
    expect(days.map(({ count }) => count)).toEqual([0, 4, 0]);
    expect(days[1]?.hours[2]).toBe(2);
    expect((await berta.client.call('getStats')).streaks.puffFreeDays.current).toBe(0);
    await berta.client.call('patchMe', { body: { dayStartHour: 3 } });
    expect(await countsOf(berta, '2026-10-24', '2026-10-26')).toEqual([3, 1, 0]);
  });

  it('count a repeated day of a traveller once and skip a day of which one hour existed', async () => {
    app.clock.set('2026-11-02T06:00:00Z');
    const tom = await app.person('tom', { timeZone: 'Pacific/Auckland' });
    await puff(tom, '2026-11-02T06:00:00Z'); // the 2nd in Auckland
    app.clock.set('2026-11-02T20:00:00Z');
    await tom.client.call('patchMe', { body: { timeZone: 'America/Los_Angeles' } });
    const landed = await puff(tom, '2026-11-02T20:00:00Z'); // the 2nd in Los Angeles
    expect(landed.stats).toMatchObject({ today: '2026-11-02', dailyPuffCount: 2 });

    // Honolulu until 23:00 of the 4th, then Kiritimati: of the 5th one hour is left.
    app.clock.set('2026-11-04T20:00:00Z');
    await tom.client.call('patchMe', { body: { timeZone: 'Pacific/Honolulu' } });
    app.clock.set('2026-11-05T09:00:00Z');
    await tom.client.call('patchMe', { body: { timeZone: 'Pacific/Kiritimati' } });
    app.clock.set('2026-11-06T12:00:00Z'); // the 7th, 02:00
    const stats = await tom.client.call('getStats');
    expect(stats).toMatchObject({
      today: '2026-11-07',
      streaks: { puffFreeDays: { current: 3, startedOn: '2026-11-03', unconfirmedDays: 3 } },
    });
    const days = await daysOf(tom, '2026-11-02', '2026-11-07');
    expect(days.map(({ status }) => status)).toEqual([
      'confirmed',
      'unknown',
      'unknown',
      'skipped',
      'unknown',
      'unknown',
    ]);
  });

  it('keep streaks when today moves back on a flight west', async () => {
    const uma = await app.person('uma', { timeZone: 'Pacific/Auckland' });
    await puff(uma, '2026-11-03T06:00:00Z');
    await uma.client.call('recordPuff'); // the 7th in Auckland
    expect((await uma.client.call('getStats')).streaks.puffFreeDays).toMatchObject({ current: 0, best: 3 });
    await uma.client.call('patchMe', { body: { timeZone: 'America/Los_Angeles' } });
    expect(await uma.client.call('getStats')).toMatchObject({
      today: '2026-11-06',
      dailyPuffCount: 0,
      totalPuffCount: 2,
      streaks: { puffFreeDays: { current: 2, best: 2, provisional: true } },
    });
  });

  it('average confirmed days and compare them with the previous week', async () => {
    app.clock.set('2026-11-20T12:00:00Z');
    const vera = await app.person('vera');
    for (const day of [6, 7, 8, 9]) await puff(vera, `2026-11-0${day}T12:00:00Z`, { quantity: 8 });
    for (const day of [13, 15, 19]) await puff(vera, `2026-11-${day}T12:00:00Z`, { quantity: 6 });
    expect(await vera.client.call('getStats')).toMatchObject({
      average7: 6,
      average30: null,
      changeVsPreviousWeek: -0.25,
    });
    const days = ['2026-11-14', '2026-11-16', '2026-11-17'];
    expect(await vera.client.call('checkIn', { body: { days, none: true } })).toMatchObject({
      average7: 3,
      average30: 5,
      changeVsPreviousWeek: -0.625,
    });
    const { bins, confirmedDays } = await vera.client.call('getStatsHours', { query: { days: '14' } });
    expect({ sum: total(bins), confirmedDays }).toEqual({ sum: 42, confirmedDays: 9 });
  });

  it('shorten the best run when a late puff splits it', async () => {
    const wim = await app.person('wim');
    await puff(wim, '2026-06-01T12:00:00Z');
    await puff(wim, '2026-11-20T11:00:00Z');
    const best = async () => (await wim.client.call('getStats')).streaks.puffFreeDays.best;
    expect(await best()).toBe(171);
    await puff(wim, '2026-09-01T12:00:00Z');
    expect(await best()).toBe(91);
  });

  it.each([
    ['/users/stats/days?from=2025-10-16&to=2026-11-20'],
    ['/users/stats/days?from=2026-11-20&to=2026-11-19'],
    ['/users/stats/days?from=2026-11-20'],
    ['/users/stats/days?from=2026-02-30&to=2026-03-01'],
    ['/users/stats/hours?days=6'],
    ['/users/stats/hours?days=366'],
    ['/users/stats/hours?days=seven'],
  ])('reject the query of %s', async (path) => {
    const xena = await app.person('xena');
    const answer = await fetch(`${app.url}${path}`, {
      headers: { authorization: `Bearer ${xena.client.accessToken() ?? ''}` },
    });
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ code: 'invalid' });
  });

  it('list 400 days, and days long before the sign-up', async () => {
    const yuri = await app.person('yuri');
    const days = await daysOf(yuri, '2025-10-17', '2026-11-20');
    expect(days).toHaveLength(400);
    expect(await daysOf(yuri, '0001-01-01', '0001-01-02')).toMatchObject([
      { day: '0001-01-01', count: 0, status: 'unknown', limit: null },
      { day: '0001-01-02' },
    ]);
  });
});
