import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { historyOf, type TestHistory } from '../../../../test/history-of-puffs.ts';
import { dayMs, hourMs } from '../../../domain/durations.ts';
import { type DayNumber, dayNumberOf, dayOf } from '../../../domain/local-day.ts';
import { calendarOf, settledThrough, type Calendar } from '../goals/calendar.ts';
import { createSettledRunsCache } from './settled-runs-cache.ts';
import { computeSettled, walkRuns, type SettledRuns } from './settled-runs.ts';
import type { SettledRunsStore } from './settled-runs-store.ts';
import type { Goal } from '../goals/goal-history.ts';

const firstDay = dayNumberOf('2026-03-01');
const person = { userId: 'alice', createdAt: firstDay * dayMs };

const addPuff = (log: TestHistory, day: number, hour: number): void => {
  log.add({ timestamp: day * dayMs + hour * hourMs, timeZone: 'UTC', quantity: 1 });
};

const limitFrom = (effectiveDay: DayNumber, dailyLimit: number | null): Goal => ({
  mode: 'reduce',
  dailyLimit,
  plan: null,
  baselineDays: null,
  quitAt: null,
  quitDay: null,
  setAt: effectiveDay * dayMs,
  effectiveDay,
});

/** Rows in memory, and the number of reads and writes. */
const memoryStore = () => {
  const rows = new Map<string, string>();
  const calls = { found: 0, saved: 0 };
  const store: SettledRunsStore = {
    ensureIndexes: () => Promise.resolve(),
    findMany: (userIds) => {
      calls.found += 1;
      const found = userIds.flatMap((userId) => {
        const row = rows.get(userId);
        return row === undefined ? [] : [[userId, JSON.parse(row) as SettledRuns] as const];
      });
      return Promise.resolve(new Map(found));
    },
    save: (userId, settled) => {
      calls.saved += 1;
      rows.set(userId, JSON.stringify(settled));
      return Promise.resolve();
    },
    removeAll: (userId) => Promise.resolve(rows.delete(userId) ? 1 : 0),
  };
  return { store, calls };
};

describe('settledThrough', () => {
  it.each([
    ['2026-11-25', '2026-09-30'],
    ['2026-11-05', '2026-09-30'],
    ['2026-11-04', '2026-08-31'],
    ['2026-03-31', '2026-01-31'],
    ['2026-03-01', '2025-12-31'],
  ])('on %s returns %s', (today, settled) => {
    expect(dayOf(settledThrough(dayNumberOf(today)))).toBe(settled);
  });
});

describe('createSettledRunsCache', () => {
  type Step =
    | { what: 'puff'; back: number; hour: number }
    | { what: 'check-in'; back: number }
    | { what: 'limit'; back: number; limit: number | null }
    | { what: 'day start'; hour: number }
    | { what: 'skip'; back: number }
    | { what: 'days pass'; days: number }
    | { what: 'restart' };
  const back = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 240 }));
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        what: fc.constant('puff' as const),
        back,
        hour: fc.integer({ min: 0, max: 23 }),
      }),
    },
    fc.record({ what: fc.constant('check-in' as const), back }),
    fc.record({
      what: fc.constant('limit' as const),
      back,
      limit: fc.option(fc.integer({ min: 0, max: 2 })),
    }),
    fc.record({ what: fc.constant('day start' as const), hour: fc.constantFrom(0, 4, 23) }),
    fc.record({ what: fc.constant('skip' as const), back }),
    fc.record({ what: fc.constant('days pass' as const), days: fc.integer({ min: -1, max: 40 }) }),
    fc.constant<Step>({ what: 'restart' }),
  );

  /** The runs up to yesterday, by a walk over all days. */
  const walkAll = (calendar: Calendar, log: TestHistory) =>
    walkRuns(calendar, computeSettled({ ...calendar, settledThrough: firstDay - 400 }, emptyPast).runs, {
      from: firstDay - 400,
      to: calendar.today - 1,
      countOn: (day) => log.countOn(day, calendar.dayStartHour),
    });
  const emptyPast = { rev: 0, firstActiveDay: undefined, countOn: () => 0, spans: [] };

  it('gives with the days after the settled ones the runs of a walk over all days, for any changes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const log = historyOf([]);
        const { store } = memoryStore();
        const open = () =>
          createSettledRunsCache({
            store,
            puffs: { history: (_userId, from = 0) => Promise.resolve(log.loadedFrom(from)) },
          });
        let settled = open();
        let today = firstDay + 200;
        let dayStartHour = 0;
        const [goals, checkIns, skipped]: [Goal[], Set<number>, Set<number>] = [[], new Set(), new Set()];
        for (const one of steps) {
          if (one.what === 'puff') addPuff(log, today - one.back, one.hour);
          if (one.what === 'check-in') checkIns.add(today - one.back);
          if (one.what === 'limit') goals.push(limitFrom(today - one.back, one.limit));
          if (one.what === 'day start') dayStartHour = one.hour;
          if (one.what === 'skip') skipped.add(today - one.back);
          if (one.what === 'days pass') today += one.days;
          if (one.what === 'restart') settled = open();

          const calendar = calendarOf(
            dayStartHour,
            {
              goals: [...goals],
              checkIns: new Set(checkIns),
              lateCheckIns: new Set(),
              skipped: new Set(skipped),
            },
            today,
          );
          const held = log.loadedFrom(calendar.settledThrough + 1);
          if (one.what === 'restart') await settled.prefetch([{ person, calendar, history: held }]);
          const runs = await settled.whenReady(person, calendar, held, (history, found) =>
            walkRuns(calendar, found.runs, {
              from: calendar.settledThrough + 1,
              to: today - 1,
              countOn: (day) => history.countOn(day, dayStartHour),
            }),
          );
          expect(runs).toEqual(walkAll(calendar, log));
        }
      }),
      { numRuns: 200 },
    );
  });

  const today = firstDay + 200;
  const calendar = (checkIns: number[] = []) =>
    calendarOf(
      0,
      { goals: [], checkIns: new Set(checkIns), lateCheckIns: new Set(), skipped: new Set() },
      today,
    );
  const aged = () => {
    const log = historyOf([]);
    addPuff(log, firstDay, 12);
    return log;
  };

  it('reads the whole history once and uses memory while only recent days change', async () => {
    const log = aged();
    const { store, calls } = memoryStore();
    const loads: DayNumber[] = [];
    const settled = createSettledRunsCache({
      store,
      puffs: {
        history: (_userId, from = 0) => {
          loads.push(from);
          return Promise.resolve(log.loadedFrom(from));
        },
      },
    });
    const days = calendar();
    const held = log.loadedFrom(days.settledThrough + 1);
    expect(settled.peek(person, days, held)).toBeUndefined();
    await settled.whenReady(person, days, held, () => undefined);
    expect(loads).toHaveLength(1);
    for (let index = 0; index < 5; index++) {
      addPuff(log, today - index * 3, 9);
      expect(settled.peek(person, days, held)).toBeDefined();
    }
    expect(settled.peek(person, calendar([today - 3]), held)).toBeDefined();
    expect({ calls, loads: loads.length }).toEqual({ calls: { found: 1, saved: 1 }, loads: 1 });
  });

  it('uses the stored row of another process until a settled day changes', async () => {
    const log = aged();
    const { store, calls } = memoryStore();
    const open = () =>
      createSettledRunsCache({
        store,
        puffs: { history: (_userId, from = 0) => Promise.resolve(log.loadedFrom(from)) },
      });
    const days = calendar();
    const held = log.loadedFrom(days.settledThrough + 1);
    await open().whenReady(person, days, held, () => undefined);
    const other = open();
    expect(await other.whenReady(person, days, held, (history) => history)).toBe(held);
    expect(other.peek(person, days, held)).toBeDefined();
    addPuff(log, days.settledThrough - 20, 9);
    expect(other.peek(person, days, held)).toBeUndefined();
    expect(other.peek(person, calendar([days.settledThrough - 5]), held)).toBeUndefined();
    await other.whenReady(person, days, held, () => undefined);
    expect(calls.saved).toBe(2);
  });

  it('reads nothing where no puff is in the settled past', () => {
    const log = historyOf([]);
    addPuff(log, today, 9);
    const { store, calls } = memoryStore();
    const settled = createSettledRunsCache({
      store,
      puffs: { history: () => Promise.reject(new Error('the history was read')) },
    });
    const days = calendar();
    expect(settled.peek(person, days, log.loadedFrom(days.settledThrough + 1))).toBeDefined();
    expect(calls.found).toBe(0);
  });
});
