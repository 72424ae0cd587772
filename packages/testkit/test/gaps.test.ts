import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { startTestApp, type Person, type TestApp } from '../src/index.ts';
import { documentsRead, profiled } from './profiler.ts';

const hour = 3_600;

describe('gaps between puffs, in GET /users/stats', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp({ now: '2026-10-21T10:00:00Z' });
  });
  afterAll(() => app.close());

  const newPerson = () => app.person(randomUUID());
  const puff = async ({ client }: Person, timestamp: string, timeZone?: string) => {
    const body = { id: randomUUID(), timestamp, ...(timeZone !== undefined && { timeZone }) };
    await client.call('recordPuff', { body });
    return body.id;
  };
  const gapsOf = async ({ client }: Person) => {
    const { longestGapTodaySeconds, streaks } = await client.call('getStats');
    return { today: longestGapTodaySeconds, ...streaks.abstinenceSeconds };
  };

  it('are there without a puff or a quit: none', async () => {
    expect(await gapsOf(await newPerson())).toEqual({ today: undefined, current: null, best: undefined });
  });

  it('follow a back-dated puff that splits one, and the deletion that joins it again', async () => {
    const person = await newPerson();
    await puff(person, '2026-10-11T10:00:00Z');
    await puff(person, '2026-10-21T01:00:00Z');
    await puff(person, '2026-10-21T09:00:00Z');
    const before = { today: 8 * hour, current: hour, best: (9 * 24 + 15) * hour };
    expect(await gapsOf(person)).toEqual(before);
    const days = await puff(person, '2026-10-15T10:00:00Z');
    const hours = await puff(person, '2026-10-21T03:00:00Z');
    expect(await gapsOf(person)).toEqual({ today: 6 * hour, current: hour, best: (5 * 24 + 15) * hour });
    for (const id of [days, hours]) await person.client.call('deletePuff', { params: { id } });
    expect(await gapsOf(person)).toEqual(before);
    await person.client.call('editPuff', {
      params: { id: (await person.client.call('listPuffs')).puffs[0]!.id },
      body: { timestamp: '2026-10-21T02:00:00Z' },
    });
    expect(await gapsOf(person)).toEqual({ ...before, today: 8 * hour, current: 8 * hour });
    await person.client.call('deleteAllPuffs');
    expect(await gapsOf(person)).toEqual({ today: undefined, current: null, best: undefined });
  });

  it('read the records of a split date once, and none of a date that is whole', async () => {
    const person = await newPerson();
    const recordsRead = async () =>
      documentsRead(await profiled(app.mongoUri, () => gapsOf(person)))['puffrecords'] ?? 0;
    await puff(person, '2026-10-19T22:30:00Z');
    await puff(person, '2026-10-21T01:00:00Z');
    await puff(person, '2026-10-21T09:00:00Z');
    await gapsOf(person);
    expect(await recordsRead()).toBe(0);
    await puff(person, '2026-10-21T05:00:00Z');
    expect(await gapsOf(person)).toMatchObject({ today: 4 * hour });
    expect(await recordsRead()).toBe(0);
    await puff(person, '2026-10-21T09:30:00Z');
    expect(await recordsRead()).toBeGreaterThan(0);
    expect(await recordsRead()).toBe(0);
  });

  it('count a night for the day on which it began', async () => {
    const person = await newPerson();
    await person.client.call('patchMe', { body: { dayStartHour: 4 } });
    await puff(person, '2026-10-20T23:00:00Z'); // 01:00 on the wall, the local day before
    await puff(person, '2026-10-21T03:00:00Z');
    await puff(person, '2026-10-21T05:00:00Z');
    expect(await gapsOf(person)).toEqual({ today: 5 * hour, current: 5 * hour, best: 5 * hour });
    await puff(person, '2026-10-21T09:30:00Z');
    expect(await gapsOf(person)).toEqual({ today: 4.5 * hour, current: hour / 2, best: 4.5 * hour });
  });

  it('go on over a flight, where two dates overlap', async () => {
    const person = await newPerson();
    await puff(person, '2026-10-20T02:00:00Z', 'Pacific/Auckland'); // the 20th
    await puff(person, '2026-10-20T12:00:00Z', 'Pacific/Auckland'); // the 21st
    await puff(person, '2026-10-20T15:00:00Z', 'America/Los_Angeles'); // the 20th
    await puff(person, '2026-10-20T20:00:00Z', 'Pacific/Auckland'); // the 21st
    await puff(person, '2026-10-21T09:30:00Z', 'Pacific/Auckland'); // the 21st
    await person.client.call('patchMe', { body: { timeZone: 'Pacific/Auckland' } });
    expect(await gapsOf(person)).toEqual({ today: 13.5 * hour, current: hour / 2, best: 13.5 * hour });
    await puff(person, '2026-10-21T00:00:00Z');
    expect(await gapsOf(person)).toEqual({ today: 9.5 * hour, current: hour / 2, best: 10 * hour });
  });

  it('begin with a quit where no puff came before it', async () => {
    const person = await newPerson();
    await person.client.call('putGoal', { body: { mode: 'quit', quitAt: '2026-10-01T10:00:00Z' } });
    expect(await gapsOf(person)).toEqual({ today: undefined, current: 480 * hour, best: 480 * hour });
    await puff(person, '2026-10-11T10:00:00Z');
    expect(await gapsOf(person)).toMatchObject({ current: 240 * hour, best: 240 * hour });
    await puff(person, '2026-10-20T10:00:00Z');
    expect(await gapsOf(person)).toMatchObject({ current: 24 * hour, best: 240 * hour });
    await puff(person, '2026-10-02T10:00:00Z');
    expect(await gapsOf(person)).toMatchObject({ current: 24 * hour, best: 216 * hour });
  });

  it('of the settled past are read once, and kept for a new process, until one of them changes', async () => {
    const name = randomUUID();
    const person = await app.person(name);
    const at = (instant: number) => ({
      id: randomUUID(),
      timestamp: new Date(instant).toISOString(),
      timeZone: 'UTC',
    });
    const [first, quiet] = [Date.UTC(2026, 6, 25), Date.UTC(2026, 7, 20)];
    const every6Hours = Array.from({ length: 354 }, (_, index) => first + index * 6 * hour * 1_000);
    const late = at(quiet + 23 * hour * 1_000);
    const puffs = every6Hours.filter((instant) => instant <= quiet || instant >= quiet + 24 * hour * 1_000);
    await person.client.call('recordPuffBatch', { body: { puffs: [...puffs.map(at), late] } });
    expect((await gapsOf(person)).best).toBe(23 * hour);
    await puff(person, '2026-08-20T08:00:00Z', 'UTC');
    expect((await gapsOf(person)).best).toBe(15 * hour);
    await app.drain();
    const other = await startTestApp({
      mongoUri: app.mongoUri,
      world: { clock: app.clock, apple: app.apple },
    });
    try {
      const again = await other.person(name, { deviceId: 'tablet' });
      await again.client.call('getMe');
      const lines = await profiled(app.mongoUri, async () => {
        expect((await gapsOf(again)).best).toBe(15 * hour);
      });
      expect(documentsRead(lines)).not.toHaveProperty('puffrecords');
      await again.client.call('editPuff', {
        params: { id: late.id },
        body: { timestamp: '2026-08-20T07:00:00Z' },
      });
      for (const one of [again, person]) expect((await gapsOf(one)).best).toBe(16 * hour);
    } finally {
      await other.close();
    }
  });
});
