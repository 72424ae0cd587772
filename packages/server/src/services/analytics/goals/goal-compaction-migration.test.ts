import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { compactGoalHistories } from './goal-compaction-migration.ts';
import { createGoalStore, type GoalStore } from './goal-store.ts';

const dayMs = 86_400_000;
const today = 20_000;
const rowOf = (number: number, effectiveDay: number, dailyLimit: number | null) => ({
  userId: 'alice',
  number,
  mode: dailyLimit === null ? 'track' : 'reduce',
  dailyLimit,
  plan: null,
  baselineDays: null,
  quitAt: null,
  quitDay: null,
  setAt: new Date(today * dayMs + number),
  effectiveDay,
});

describe('compactGoalHistories', () => {
  let database: TestDatabase;
  let store: GoalStore;

  beforeAll(async () => {
    database = await openTestDatabase();
    store = createGoalStore(database.connection);
    await store.ensureIndexes();
  });
  afterAll(() => database.drop());

  it('leaves a row for each day of 5,000 changes, also where it runs again', async () => {
    const { connection } = database;
    const rows = Array.from({ length: 5_000 }, (_, index) =>
      rowOf(index + 1, today - 40 + Math.floor(index / 125), index % 2 === 0 ? 5 : 4),
    );
    const measured = {
      ...rowOf(3, today - 40, null),
      mode: 'reduce',
      plan: {
        product: 'vape',
        unit: 'puffs',
        baseline: 31,
        baselineSource: 'measured',
        target: 0,
        startDay: today - 40,
        lengthDays: 7,
        curve: 'linear',
      },
      baselineDays: 7,
    };
    await connection.collection('goals').insertMany(rows.with(2, measured as never));
    for (let run = 0; run < 2; run++) {
      await compactGoalHistories(connection, new AbortController().signal);
      const goals = (await store.listMany(new Map([['alice', undefined]]))).get('alice') ?? [];
      expect(goals.map(({ number, effectiveDay }) => [number, effectiveDay])).toEqual(
        Array.from({ length: 40 }, (_, index) => [index + 1, today - 40 + index]),
      );
      expect(goals.at(-1)).toMatchObject({
        dailyLimit: 4,
        before: { limited: true, baseline: { baseline: 31, days: 7 } },
      });
    }
  });
});
