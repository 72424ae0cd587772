import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { localDayOf } from './local-day.ts';
import type { LogRecord } from './log-record.ts';
import { PuffState } from './puff-state.ts';

type PlainRecord = Exclude<LogRecord, { kind: 'change' }>;
const puffRecord = fc.record({
  kind: fc.constant('puff' as const),
  counted: fc.record({
    timestamp: fc.integer({ min: 0, max: 4_000_000_000_000 }),
    wall: fc.record({
      dayNumber: fc.integer({ min: 20_000, max: 20_070 }),
      hour: fc.integer({ min: 0, max: 23 }),
    }),
    quantity: fc.integer({ min: 1, max: 50 }),
  }),
});
const emptyRecord = fc.constant({ kind: 'empty' as const });
const history = fc
  .array(fc.oneof({ weight: 9, arbitrary: puffRecord }, { weight: 1, arbitrary: emptyRecord }), {
    maxLength: 60,
  })
  .map((records) => records.map((record, index): PlainRecord => ({ ...record, rev: index + 1 })));
const puffsOf = (records: PlainRecord[]) =>
  records.flatMap((record) => (record.kind === 'puff' ? [record.counted] : []));

const foldOf = (records: PlainRecord[]) => {
  const state = new PuffState();
  for (const record of records) state.fold(record);
  return state;
};

describe('the fold of a log', () => {
  it('counts each puff on exactly one local day, whatever the start of the day', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 0, max: 23 }), (records, dayStartHour) => {
        const state = foldOf(records);
        const byDay = new Map<number, number>();
        for (const { wall, quantity } of puffsOf(records)) {
          const day = localDayOf(wall, dayStartHour);
          byDay.set(day, (byDay.get(day) ?? 0) + quantity);
        }
        expect(state.activeDays(dayStartHour)).toEqual([...byDay.keys()].sort((a, b) => a - b));
        for (const [day, count] of byDay) expect(state.countOn(day, dayStartHour)).toBe(count);
        expect(state.total).toBe([...byDay.values()].reduce((sum, count) => sum + count, 0));
      }),
    );
  });

  it('does not count a record again', () => {
    fc.assert(
      fc.property(history, (records) => {
        const state = foldOf(records);
        const before = JSON.stringify(state);
        for (const record of records) state.fold(record);
        expect(JSON.stringify(state)).toBe(before);
      }),
    );
  });

  it('is the same for the same puffs in another order', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 1_000_000 }), (records, seed) => {
        const key = (index: number) => Math.sin(seed * (index + 1));
        const shuffled = records
          .map((record, index) => ({ record, key: key(index) }))
          .sort((a, b) => a.key - b.key)
          .map(({ record }, index) => ({ ...record, rev: index + 1 }));
        expect(JSON.stringify(foldOf(shuffled))).toBe(JSON.stringify(foldOf(records)));
      }),
    );
  });

  it('refuses to go past a number that is missing', () => {
    const state = foldOf([{ rev: 1, kind: 'empty' }]);
    state.fold({ rev: 3, kind: 'empty' });
    expect(state.rev).toBe(1);
  });

  it('notices a day that became active after it was asked', () => {
    const state = new PuffState();
    expect(state.activeDays(0)).toEqual([]);
    state.fold({
      rev: 1,
      kind: 'puff',
      counted: { timestamp: 0, wall: { dayNumber: 5, hour: 2 }, quantity: 1 },
    });
    expect(state.activeDays(0)).toEqual([5]);
    expect(state.activeDays(3)).toEqual([4]);
  });
});
