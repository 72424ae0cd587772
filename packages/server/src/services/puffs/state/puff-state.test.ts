import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aggregateDays } from '../domain/day-aggregate.ts';
import { localDayOf } from '../../../domain/local-day.ts';
import type { LogRecord } from '../domain/log-record.ts';
import { PuffState } from './puff-state.ts';

type PlainRecord = Exclude<LogRecord, { kind: 'change' }>;
const hour = 3_600_000;
/** Often on the same few dates and instants, so that gaps are split. */
const puffRecord = fc
  .record({
    timestamp: fc.oneof(fc.integer({ min: 0, max: 4_000_000_000_000 }), fc.integer({ min: 0, max: 30 })),
    dayNumber: fc.oneof(fc.integer({ min: 20_000, max: 20_070 }), fc.integer({ min: 20_000, max: 20_003 })),
    hour: fc.integer({ min: 0, max: 23 }),
    quantity: fc.integer({ min: 1, max: 50 }),
    lateBy: fc.constantFrom(0, 48 * hour, 48 * hour + 1),
  })
  .map(({ timestamp, dayNumber, hour: wallHour, quantity, lateBy }) => ({
    kind: 'puff' as const,
    counted: { timestamp, wall: { dayNumber, hour: wallHour }, quantity },
    receivedAt: timestamp + lateBy,
  }));
const emptyRecord = fc.constant({ kind: 'empty' as const });
const history = fc
  .array(fc.oneof({ weight: 9, arbitrary: puffRecord }, { weight: 1, arbitrary: emptyRecord }), {
    maxLength: 60,
  })
  .map((records) => records.map((record, index): PlainRecord => ({ ...record, rev: index + 1 })));
const puffsOf = (records: PlainRecord[]) =>
  records.flatMap((record) =>
    record.kind === 'puff' ? [{ ...record.counted, receivedAt: record.receivedAt }] : [],
  );

const foldOf = (records: PlainRecord[]) => {
  const state = new PuffState();
  for (const record of records) state.fold(record);
  return state;
};

describe('the fold of a log', () => {
  it('counts each puff on exactly one local day for every start of the day', () => {
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

  it('marks local days whose puffs all came late, for every start of the day', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 0, max: 23 }), (records, dayStartHour) => {
        const state = foldOf(records);
        const isLate = new Map<number, boolean>();
        for (const { wall, timestamp, receivedAt } of puffsOf(records)) {
          const day = localDayOf(wall, dayStartHour);
          isLate.set(day, (isLate.get(day) ?? true) && receivedAt - timestamp > 48 * hour);
        }
        for (let day = 19_998; day <= 20_072; day++)
          expect(state.marksOn(day, dayStartHour)).toEqual({
            lateOnly: isLate.get(day) ?? false,
            lateRemoval: false,
          });
      }),
    );
  });

  it('applies the recount of a changed date once', () => {
    const puff = (rev: number, wallHour: number) => ({
      rev,
      kind: 'puff' as const,
      counted: { timestamp: wallHour * hour, wall: { dayNumber: 0, hour: wallHour }, quantity: 1 },
      receivedAt: wallHour * hour,
    });
    const state = foldOf([puff(1, 3), puff(2, 5), puff(3, 9)]);
    const left = [3, 9].map((at) => ({ ...puff(0, at).counted, id: `at-${at}`, cameLate: false }));
    const gone = { ...puff(0, 5).counted, target: 'second' };
    const deletion = {
      rev: 4,
      kind: 'change' as const,
      target: 'second',
      before: puff(2, 5).counted,
      after: null,
    };
    state.foldChange(deletion, { dates: aggregateDays(left, [gone]), lastPuffAt: undefined });
    state.foldChange(deletion, { dates: new Map(), lastPuffAt: null });
    expect(state.hoursOn(0, 0).flatMap((sum, at) => (sum ? [at] : []))).toEqual([3, 9]);
    expect([0, 5, 6].map((dayStartHour) => state.marksOn(0, dayStartHour).lateRemoval)).toEqual([
      true,
      true,
      false,
    ]);
    expect(state.marksOn(-1, 6)).toEqual({ lateOnly: false, lateRemoval: true });
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

  it('throws at a sequence gap', () => {
    const state = foldOf([{ rev: 1, kind: 'empty' }]);
    state.fold({ rev: 3, kind: 'empty' });
    expect(state.rev).toBe(1);
  });

  it('includes a day that became active after a call', () => {
    const state = new PuffState();
    expect(state.activeDays(0)).toEqual([]);
    state.fold({
      rev: 1,
      kind: 'puff',
      counted: { timestamp: 0, wall: { dayNumber: 5, hour: 2 }, quantity: 1 },
      receivedAt: 0,
    });
    expect(state.activeDays(0)).toEqual([5]);
    expect(state.activeDays(3)).toEqual([4]);
  });
});
