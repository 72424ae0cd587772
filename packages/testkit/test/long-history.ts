import { expect } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Client } from '@pufftrack/client';
import { targetNames } from '@pufftrack/server';
import { MongoClient } from 'mongodb';
import { startTestApp, type TestApp } from '../src/index.ts';
import { documentsRead, profiled } from './profiler.ts';

const dayMs = 86_400_000;
const spanDays = 3_640;

const record = async (client: Client, now: number, count: number): Promise<void> => {
  const step = (spanDays * dayMs) / count;
  for (let from = 0; from < count; from += 1_000) {
    const puffs = Array.from({ length: Math.min(1_000, count - from) }, (_, index) => ({
      id: randomUUID(),
      timestamp: new Date(now - Math.floor((count - from - index - 0.5) * step)).toISOString(),
    }));
    const { results } = await client.call('recordPuffBatch', { body: { puffs } });
    expect(results.every(({ status }) => status === 'created')).toBe(true);
  }
};

/** A cache that may be dropped at any time; here it would make the first reads of the two differ. */
const forgetSettledPast = async (mongoUri: string): Promise<void> => {
  const client = await MongoClient.connect(mongoUri);
  await client.db().collection('settledruns').deleteMany({});
  await client.close();
};

/**
 * Two people with the same ten years, one of whom puffed `times` as often: what the database looks at for their
 * statistics is the same, in a process that knows nothing of them, and little in one that finds the settled past.
 */
export const expectReadsNotToGrow = async (few: number, many: number): Promise<void> => {
  const first = await startTestApp({ targets: targetNames, now: '2026-10-21T10:00:00Z' });
  const { mongoUri, clock, apple } = first;
  const apps: TestApp[] = [first];
  try {
    const people = [await first.person('seldom'), await first.person('often')] as const;
    for (const [index, { client }] of people.entries())
      await record(client, clock.now(), index === 0 ? few : many);
    await first.drain();
    await forgetSettledPast(mongoUri);
    const bests: unknown[] = [];
    const readsOfBoth = async () => {
      const app = await startTestApp({ targets: targetNames, mongoUri, world: { clock, apple } });
      apps.push(app);
      const rows: Record<string, number>[] = [];
      for (const name of ['seldom', 'often']) {
        const { client } = await app.person(name);
        await client.call('getMe');
        rows.push(
          documentsRead(
            await profiled(mongoUri, async () => {
              const { streaks } = await client.call('getStats');
              bests.push(streaks.abstinenceSeconds.best);
            }),
          ),
        );
      }
      await app.drain();
      return rows;
    };
    const [seldomAtFirst, oftenAtFirst] = await readsOfBoth();
    expect(oftenAtFirst).toEqual(seldomAtFirst);
    expect(oftenAtFirst).not.toHaveProperty('puffrecords');
    const [seldom, often] = await readsOfBoth();
    expect(often).toEqual(seldom);
    // Gaps of all ten years are in it, and those of the past are the same from the settled row.
    const expected = [few, many].map((count) => expect.closeTo((spanDays * dayMs) / count / 1_000, -1));
    expect(bests).toEqual([...expected, ...expected]);
    // Three months, the person, the settled past, and the account that every request asks for.
    expect(Object.values(often ?? {}).reduce((sum, count) => sum + count, 0)).toBeLessThan(12);
  } finally {
    for (const app of apps.reverse()) await app.close();
  }
};
