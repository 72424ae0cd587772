import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createFriendship, startTestApp, type Person, type TestApp } from '../src/index.ts';

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('goals and check-ins', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app.close());
  // Time only moves forward: sessions would otherwise begin in the future.
  const at = (instant: string) => {
    app.clock.set(instant);
  };

  const puffs = async ({ client }: Person, day: string, count: number) => {
    const { results } = await client.call('recordPuffBatch', {
      body: {
        puffs: range(count).map((index) => ({
          id: randomUUID(),
          timestamp: `${day}T12:${String(index).padStart(2, '0')}:00Z`,
        })),
      },
    });
    expect(results.every(({ status }) => status === 'created')).toBe(true);
  };
  const setGoal = ({ client }: Person, body: object) => client.call('putGoal', { body: body as never });
  const statsOf = ({ client }: Person) => client.call('getStats');

  it('count the example week of domain rule D5 day by day', async () => {
    at('2026-10-12T08:00:00Z'); // a Monday
    const alice = await app.person('alice');
    expect(await setGoal(alice, { mode: 'reduce', dailyLimit: 10 })).toEqual({
      mode: 'reduce',
      dailyLimit: 10,
      plan: null,
      quitAt: null,
      limitToday: 10,
      effectiveFrom: '2026-10-12',
    });
    for (const [day, count] of [
      ['2026-10-12', 10],
      ['2026-10-13', 11],
      ['2026-10-14', 9],
    ] as const) {
      at(`${day}T18:00:00Z`);
      await puffs(alice, day, count);
    }
    expect((await statsOf(alice)).streaks.underLimitDays).toMatchObject({
      current: 0,
      best: 1,
      endedReason: 'over-limit',
    });
    at('2026-10-17T10:00:00Z'); // Saturday noon
    const checked = await alice.client.call('checkIn', { body: { days: ['2026-10-16'], none: true } });
    expect(checked).toMatchObject({
      dailyLimit: 10,
      streakDays: 2,
      streaks: {
        puffFreeDays: {
          current: 2,
          best: 2,
          unconfirmedDays: 1,
          startedOn: '2026-10-15',
          provisional: true,
        },
        underLimitDays: {
          current: 3,
          best: 3,
          unconfirmedDays: 1,
          startedOn: '2026-10-14',
          endedReason: null,
        },
      },
      average7: 7.5,
    });

    const one = await alice.client.call('recordPuff');
    expect(one.stats.streaks).toMatchObject({
      puffFreeDays: { current: 0, best: 2, endedReason: 'puff', provisional: false },
      underLimitDays: { current: 3, best: 3 },
    });
    const ten = await alice.client.call('recordPuff', { body: { quantity: 10 } });
    expect(ten.stats.streaks.underLimitDays).toMatchObject({
      current: 0,
      best: 3,
      endedReason: 'over-limit',
    });
  });

  it('begin on the new day only when a quit is postponed', async () => {
    at('2026-10-17T12:00:00Z');
    const zoe = await app.person('zoe');
    await setGoal(zoe, { mode: 'reduce', dailyLimit: 10 });
    await setGoal(zoe, { mode: 'quit', quitAt: '2026-10-18T08:00:00Z' });
    const putOff = await setGoal(zoe, { mode: 'quit', quitAt: '2026-10-30T08:00:00Z' });
    expect(putOff).toMatchObject({ limitToday: 10, effectiveFrom: '2026-10-30' });
    at('2026-10-18T09:00:00Z');
    expect(await zoe.client.call('getGoal')).toEqual(putOff);
    const { stats } = await zoe.client.call('recordPuff', { body: { quantity: 3 } });
    expect(stats).toMatchObject({ dailyLimit: 10, streaks: { underLimitDays: { current: 1 } } });
    const { days } = await zoe.client.call('getStatsDays', {
      query: { from: '2026-10-29', to: '2026-10-30' },
    });
    expect(days.map(({ limit }) => limit)).toEqual([10, 0]);
  });

  it('never change a past limit, and raise a limit from tomorrow', async () => {
    at('2026-10-18T10:00:00Z');
    const bob = await app.person('bob');
    await setGoal(bob, { mode: 'reduce', dailyLimit: 10 });
    expect(await setGoal(bob, { mode: 'reduce', dailyLimit: 20 })).toMatchObject({
      dailyLimit: 20,
      limitToday: 10,
      effectiveFrom: '2026-10-19',
    });
    expect((await statsOf(bob)).dailyLimit).toBe(10);
    at('2026-10-19T10:00:00Z');
    expect((await statsOf(bob)).dailyLimit).toBe(20);
    await setGoal(bob, { mode: 'reduce', dailyLimit: 5 });
    const { days } = await bob.client.call('getStatsDays', {
      query: { from: '2026-10-17', to: '2026-10-20' },
    });
    expect(days.map(({ limit }) => limit)).toEqual([null, 10, 5, 5]);
    expect(await bob.client.call('getGoal')).toMatchObject({ dailyLimit: 5, limitToday: 5 });
  });

  it('count from a quit years ago without any puff', async () => {
    at('2026-10-20T10:00:00Z');
    const carla = await app.person('carla');
    expect(await carla.client.call('getGoal')).toEqual({
      mode: 'track',
      dailyLimit: null,
      plan: null,
      quitAt: null,
      limitToday: null,
      effectiveFrom: '2026-10-20',
    });
    const quit = await setGoal(carla, { mode: 'quit', quitAt: '2024-10-20T10:00:00+02:00' });
    expect(quit).toMatchObject({
      quitAt: '2024-10-20T08:00:00.000Z',
      effectiveFrom: '2024-10-20',
      limitToday: 0,
    });
    const stats = await statsOf(carla);
    expect(stats.streaks).toMatchObject({
      puffFreeDays: { current: 730, unconfirmedDays: 730, startedOn: '2024-10-20' },
      underLimitDays: { current: 730 },
      abstinenceSeconds: { current: (730 * 24 + 2) * 3600 },
    });
    const after = await carla.client.call('recordPuff');
    expect(after.stats.streaks).toMatchObject({
      puffFreeDays: { current: 0, best: 730 },
      underLimitDays: { current: 0, best: 730, endedReason: 'over-limit' },
      abstinenceSeconds: { current: 0 },
    });
    await expect(setGoal(carla, { mode: 'quit', quitAt: '2016-10-19T10:00:00Z' })).rejects.toMatchObject({
      code: 'invalid',
    });
  });

  it('follow a plan from a declared and from a measured baseline', async () => {
    at('2026-10-21T10:00:00Z');
    const dora = await app.person('dora');
    const plan = {
      product: 'vape',
      unit: 'puffs',
      baselineSource: 'measured',
      target: 0,
      startDay: '2026-10-21',
      lengthDays: 28,
      curve: 'linear',
    } as const;
    await expect(setGoal(dora, { mode: 'reduce', plan })).rejects.toMatchObject({
      code: 'invalid',
      problem: { errors: [{ path: 'plan.baselineSource' }] },
    });
    const declared = await setGoal(dora, {
      mode: 'reduce',
      plan: { ...plan, baselineSource: 'declared', baseline: 200 },
    });
    expect(declared).toMatchObject({ limitToday: 200, plan: { baseline: 200 } });
    const { days } = await dora.client.call('getStatsDays', {
      query: { from: '2026-10-20', to: '2026-11-18' },
    });
    const limits = days.map(({ limit }) => limit);
    expect([0, 1, 2, 8, 15, 22, 28, 29].map((index) => limits[index])).toEqual([
      null,
      200,
      193,
      150,
      100,
      50,
      8,
      0,
    ]);
    for (const [index, count] of [3, 4, 5, 6, 7].entries()) await puffs(dora, `2026-10-1${index}`, count);
    expect(await setGoal(dora, { mode: 'reduce', plan })).toMatchObject({
      limitToday: 5,
      plan: { ...plan, baseline: 5 },
    });
  });

  it('accept check-ins for past days only, ignore days with puffs, and remove them again', async () => {
    at('2026-10-22T10:00:00Z');
    const emil = await app.person('emil');
    await puffs(emil, '2026-10-20', 2);
    const checkIn = (days: string[], none = true) => emil.client.call('checkIn', { body: { days, none } });
    for (const days of [['2026-10-22'], ['2026-10-23'], ['2026-09-21'], ['2026-10-21', '2026-10-22']])
      await expect(checkIn(days)).rejects.toMatchObject({ code: 'invalid' });
    expect((await checkIn(['2026-10-19', '2026-10-20', '2026-10-21'])).streaks.puffFreeDays).toMatchObject({
      current: 1,
      unconfirmedDays: 0,
    });
    const statuses = async () => {
      const query = { from: '2026-10-18', to: '2026-10-22' };
      const { days } = await emil.client.call('getStatsDays', { query });
      return days.map(({ status }) => status);
    };
    expect(await statuses()).toEqual(['unknown', 'confirmed', 'confirmed', 'confirmed', 'unknown']);
    await puffs(emil, '2026-10-19', 1);
    const back = await checkIn(['2026-10-19', '2026-10-20', '2026-10-21'], false);
    expect(back.streaks.puffFreeDays).toMatchObject({ current: 1, unconfirmedDays: 1 });
    expect(await statuses()).toEqual(['unknown', 'confirmed', 'confirmed', 'unknown', 'unknown']);
  });

  it('store no check-in for a day with puffs, also when the puffs move to another day later', async () => {
    const lea = await app.person('lea');
    const timestamp = '2026-10-20T23:30:00Z'; // 01:30 of the 21st in Berlin
    await lea.client.call('recordPuff', { body: { timestamp } });
    await lea.client.call('checkIn', { body: { days: ['2026-10-21'], none: true } });
    await lea.client.call('patchMe', { body: { dayStartHour: 4 } });
    const { days } = await lea.client.call('getStatsDays', {
      query: { from: '2026-10-20', to: '2026-10-21' },
    });
    expect(days.map(({ status, count }) => [status, count])).toEqual([
      ['confirmed', 1],
      ['unknown', 0],
    ]);
  });

  it('require consents for changes and none for reads', async () => {
    const finn = await app.person('finn', { consents: ['terms'] });
    const refused = { code: 'consent-required', problem: { purposes: ['health-processing'] } };
    await expect(setGoal(finn, { mode: 'quit' })).rejects.toMatchObject(refused);
    const body = { days: ['2026-10-21'], none: true };
    await expect(finn.client.call('checkIn', { body })).rejects.toMatchObject(refused);
    expect(await finn.client.call('getGoal')).toMatchObject({ mode: 'track', dailyLimit: null });
  });

  it('send statsUpdate to every socket of the user and change what friends read', async () => {
    const [gina, hugo] = [await app.person('gina'), await app.person('hugo')];
    await createFriendship(gina, hugo);
    const [atGina, atHugo] = [await gina.connect(), await hugo.connect()];
    await setGoal(gina, { mode: 'reduce', dailyLimit: 7 });
    expect(await atGina.next('statsUpdate')).toMatchObject({ stats: { dailyLimit: 7, userId: gina.userId } });
    await gina.client.call('checkIn', { body: { days: ['2026-10-21'], none: true } });
    expect(await atGina.next('statsUpdate')).toMatchObject({ stats: { streakDays: 1 } });
    await gina.client.call('patchMe', { body: { timeZone: 'Pacific/Kiritimati' } });
    expect(await atGina.next('statsUpdate')).toMatchObject({
      stats: { timeZone: 'Pacific/Kiritimati', today: '2026-10-23' },
    });
    await gina.client.call('recordPuff');
    expect(await atHugo.next('friendPuff')).toMatchObject({ dailyLimit: 7 });
    expect(atHugo.received('statsUpdate')).toEqual([]);
    const { friends } = await hugo.client.call('listFriends');
    expect(friends[0]?.summary).toMatchObject({ dailyLimit: 7, todayCount: 1, underLimitDays: 0 });
    for (const socket of [atGina, atHugo]) socket.close();
  });

  it('show only confirmed days to friends', async () => {
    at('2026-10-26T13:00:00Z');
    const [ida, jan] = [await app.person('ida'), await app.person('jan')];
    await createFriendship(ida, jan);
    await setGoal(ida, { mode: 'reduce', dailyLimit: 3 });
    await puffs(ida, '2026-10-26', 1);
    at('2026-10-30T10:00:00Z');
    const summary = async () => (await jan.client.call('listFriends')).friends[0]?.summary;
    expect(await summary()).toMatchObject({ streakDays: 0, underLimitDays: 1, average7: null });
    await ida.client.call('checkIn', { body: { days: ['2026-10-28', '2026-10-29'], none: true } });
    expect((await statsOf(ida)).streaks.puffFreeDays).toMatchObject({ current: 3, unconfirmedDays: 1 });
    expect(await summary()).toMatchObject({ streakDays: 2, underLimitDays: 3, average7: 1 / 3 });
  });

  it('are one history when two devices set them concurrently', async () => {
    const kim = await app.person('kim');
    await Promise.all(range(6).map((index) => setGoal(kim, { mode: 'reduce', dailyLimit: 20 - index })));
    const { dailyLimit, limitToday } = await kim.client.call('getGoal');
    expect(limitToday).toBeLessThanOrEqual(dailyLimit ?? 0);
    expect((await statsOf(kim)).dailyLimit).toBe(limitToday);
  });
});
