import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { startTestApp, type Person, type TestApp } from '../src/index.ts';

/** Half past midnight on a phone in Berlin whose clock is an hour ahead of the rule that the server knows. */
const timestamp = '2026-10-21T00:30:00+03:00';
/** The same instant, on which the zone's rule says 23:30 of the day before. */
const inUtc = '2026-10-20T21:30:00.000Z';

describe("a phone's clock that differs from the server's zone rules", () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp({ now: '2026-10-21T10:00:00Z' });
  });
  afterAll(() => app.close());

  const countsOf = async ({ client }: Person) => {
    const { days } = await client.call('getStatsDays', { query: { from: '2026-10-19', to: '2026-10-21' } });
    return days.map(({ count }) => count);
  };
  const dayOf = async ({ client }: Person, id: string) =>
    (await client.call('listPuffs')).puffs.find((puff) => puff.id === id)?.day;

  it('decides the day over REST, in a batch and over the socket', async () => {
    const person = await app.person(randomUUID());
    const zone = { timeZone: 'Europe/Berlin' };
    const { puff } = await person.client.call('recordPuff', {
      body: { id: randomUUID(), timestamp, ...zone },
    });
    expect(puff).toMatchObject({ timestamp: inUtc, day: '2026-10-21' });
    await person.client.call('recordPuffBatch', {
      body: {
        puffs: [
          { id: randomUUID(), timestamp, ...zone },
          { id: randomUUID(), timestamp },
          { id: randomUUID(), timestamp, timeZone: 'Europe/Newcity' },
          { id: randomUUID(), timestamp: inUtc, ...zone },
          { id: randomUUID(), timestamp: '2026-10-21T06:30:00+09:00', ...zone },
        ],
      },
    });
    const socket = await person.connect();
    expect((await socket.puff({ id: randomUUID(), timestamp, ...zone })).puff).toMatchObject({
      day: '2026-10-21',
    });
    const { results } = await socket.puffs([{ id: randomUUID(), timestamp, ...zone }]);
    expect(results).toMatchObject([{ status: 'created' }]);
    socket.close();
    expect(await countsOf(person)).toEqual([0, 2, 6]);
    const { days } = await person.client.call('getStatsDays', {
      query: { from: '2026-10-20', to: '2026-10-21' },
    });
    expect(days.map(({ hours }) => [hours[0], hours[23]])).toEqual([
      [0, 2],
      [6, 0],
    ]);
    await app.drain();
    expect(await app.jobs.run('reconcile')).toMatchObject({ figures: { drift: 0 } });
  });

  it('holds over edits, a deletion, a restore, a new day start and a recount', async () => {
    const person = await app.person(randomUUID());
    const id = randomUUID();
    const edit = (body: object) => person.client.call('editPuff', { params: { id }, body });
    await person.client.call('recordPuff', { body: { id, timestamp: inUtc } });
    expect(await countsOf(person)).toEqual([0, 1, 0]);
    expect((await edit({ timestamp })).puff.day).toBe('2026-10-21');
    expect(await countsOf(person)).toEqual([0, 0, 1]);
    expect((await edit({ timestamp: inUtc, quantity: 4 })).puff.day).toBe('2026-10-21');
    await person.client.call('deletePuff', { params: { id } });
    expect(await countsOf(person)).toEqual([0, 0, 0]);
    expect((await person.client.call('restorePuff', { params: { id } })).puff.day).toBe('2026-10-21');
    expect(await countsOf(person)).toEqual([0, 0, 4]);
    expect((await person.client.call('recordPuff', { body: { id, timestamp: inUtc } })).puff?.day).toBe(
      '2026-10-21',
    );

    await person.client.call('patchMe', { body: { dayStartHour: 1 } });
    expect(await dayOf(person, id)).toBe('2026-10-20');
    expect(await countsOf(person)).toEqual([0, 4, 0]);
    await person.client.call('patchMe', { body: { dayStartHour: 0 } });
    expect(await countsOf(person)).toEqual([0, 0, 4]);

    expect((await edit({ timestamp: '2026-10-20T21:15:00Z' })).puff.day).toBe('2026-10-20');
    expect((await edit({ timestamp })).puff.day).toBe('2026-10-21');
    await app.drain();
    expect(await app.jobs.run('reconcile')).toMatchObject({ figures: { drift: 0 } });
    const { changes } = await person.client.call('listPuffChanges', { query: { since: '0' } });
    expect(changes).toMatchObject([{ puff: { id, day: '2026-10-21' } }]);
  });

  it('at the ends of the world is found by a recount of its date', async () => {
    const person = await app.person(randomUUID());
    const ends = [
      {
        id: randomUUID(),
        timestamp: '2026-10-20T00:00:00+16:00',
        timeZone: 'Pacific/Kiritimati',
        quantity: 2,
      },
      { id: randomUUID(), timestamp: '2026-10-19T23:59:59-14:00', timeZone: 'Etc/GMT+12', quantity: 3 },
    ];
    await person.client.call('recordPuffBatch', { body: { puffs: ends } });
    expect(await countsOf(person)).toEqual([3, 2, 0]);
    // An edit counts the dates again from the records.
    for (const { id, quantity } of ends)
      await person.client.call('editPuff', { params: { id }, body: { quantity: quantity * 10 } });
    expect(await countsOf(person)).toEqual([30, 20, 0]);
    await app.drain();
    expect(await app.jobs.run('reconcile')).toMatchObject({ figures: { drift: 0 } });
  });
});
