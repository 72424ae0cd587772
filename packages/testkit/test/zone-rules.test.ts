import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { startTestApp, type Person, type TestApp } from '../src/index.ts';

/** British Columbia stays on UTC-7 in the winter of 2026, which release 2025c of the zone rules does not know. */
const timeZone = 'America/Vancouver';

describe('zone rules that are newer than those of Node.js', () => {
  let app: TestApp;
  let person: Person;

  beforeAll(async () => {
    app = await startTestApp({ now: '2026-11-25T06:50:00Z' });
    person = await app.person('vancouver', { timeZone });
  });
  afterAll(() => app.close());

  const record = async (timestamp: string, zone?: string) => {
    const body = { id: randomUUID(), timestamp, ...(zone !== undefined && { timeZone: zone }) };
    const { puff } = await person.client.call('recordPuff', { body });
    return puff?.day;
  };

  it('determine the start of a local day for its job, for today and for boards', async () => {
    expect(await person.client.call('getStats')).toMatchObject({ today: '2026-11-24' });
    await app.jobs.runDue('daily-stats');
    const socket = await person.connect();
    app.clock.set('2026-11-25T07:00:00Z');
    await app.jobs.runDue('daily-stats');
    expect(await socket.next('statsUpdate')).toMatchObject({ stats: { today: '2026-11-25' } });
    socket.close();
    expect(await person.client.call('getStats')).toMatchObject({ today: '2026-11-25' });
    const { period } = await person.client.call('getLeaderboard', { query: {} });
    expect(period.to).toBe('2026-11-24');
  });

  it('determine day and hour of a puff with and without a stated offset', async () => {
    app.clock.set('2026-11-25T07:45:00Z');
    await person.client.refresh();
    expect(await record('2026-11-25T00:30:00-07:00', timeZone)).toBe('2026-11-25');
    expect(await record('2026-11-25T07:30:00Z', timeZone)).toBe('2026-11-25');
    expect(await record('2026-11-25T07:30:00Z')).toBe('2026-11-25');
    // A phone that still has the older rules writes its own clock.
    expect(await record('2026-11-24T23:30:00-08:00', timeZone)).toBe('2026-11-24');
    const { days } = await person.client.call('getStatsDays', {
      query: { from: '2026-11-24', to: '2026-11-25' },
    });
    expect(days.map(({ hours }) => [hours[23], hours[0]])).toEqual([
      [1, 0],
      [0, 3],
    ]);
  });

  it('are reported by /health/ready with their release', async () => {
    const { zoneRules } = await person.client.call('healthReady');
    expect(zoneRules?.version).toMatch(/^20\d\d[a-z]+$/);
    expect(zoneRules?.publishedOn).toMatch(/^20\d\d-\d\d-\d\d$/);
  });
});
