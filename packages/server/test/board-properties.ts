import { expect } from '@jest/globals';
import { Board } from '@pufftrack/contract';
import fc from 'fast-check';
import {
  countsOnBoards,
  rankEntries,
  boardScoresOf,
  type BoardDay,
} from '../src/services/analytics/boards/board.ts';

const anyDay: fc.Arbitrary<BoardDay> = fc
  .record({
    count: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 5_000 })),
    limit: fc.option(fc.integer({ min: 0, max: 20 })),
    isKnown: fc.boolean(),
    hasLateRemovals: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
    isLateOnly: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
    isCheckedInLate: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
  })
  .map(({ isKnown, isLateOnly, ...day }) => ({
    ...day,
    isConfirmed: day.count > 0 || isKnown,
    isLateOnly: day.count > 0 && isLateOnly,
  }));
const anyPerson = fc.record({
  days: fc.array(anyDay, { minLength: 7, maxLength: 7 }),
  accountDays: fc.integer({ min: 5, max: 30 }),
  baseline: fc.option(
    fc.integer({ min: 0, max: 40 }).map((halves) => halves / 2),
    { nil: undefined },
  ),
});

/** A day with more puffs, which were all received on time or all late. */
const withMore = (day: BoardDay, more: number, late: boolean): BoardDay =>
  more === 0
    ? day
    : {
        ...day,
        count: day.count + more,
        isConfirmed: true,
        isLateOnly: late && (day.count === 0 || day.isLateOnly),
      };

/**
 * The invariant of domain.md D11: more puffs on confirmed days, received on time or late, never give a better value or
 * rank on any board, also where they make a day void.
 */
export const expectMorePuffsNeverToHelp = (numRuns: number): void => {
  const more = fc.array(fc.record({ puffs: fc.integer({ min: 0, max: 30 }), late: fc.boolean() }), {
    minLength: 7,
    maxLength: 7,
  });
  fc.assert(
    fc.property(anyPerson, fc.array(anyPerson, { maxLength: 6 }), more, (me, others, added) => {
      // More puffs on a day that did not count can make a person eligible; the invariant excludes that.
      const days = me.days.map((day, index) => {
        const { puffs = 0, late = false } = added[index] ?? {};
        return countsOnBoards(day) ? withMore(day, puffs, late) : day;
      });
      for (const board of Board.options) {
        const placed = (mine: typeof me) => {
          const listed = [mine, ...others].map((person, index) => ({
            userId: String(index),
            name: null,
            score: boardScoresOf(person)[board],
          }));
          return rankEntries(listed).find(({ userId }) => userId === '0');
        };
        const [before, after] = [placed(me), placed({ ...me, days })];
        if (before?.rank == null) expect(after?.rank).toBeNull();
        if (before?.value == null || after?.value == null || before.rank === null) continue;
        expect(after.value).toBeLessThanOrEqual(before.value);
        expect(after.rank).toBeGreaterThanOrEqual(before.rank);
      }
    }),
    { numRuns },
  );
};

/** Every board lists each person once in the order of ranks, and a rank is 1 plus the number of better values. */
export const expectRanksOfDefinition = (numRuns: number): void => {
  const values = fc.array(fc.option(fc.integer({ min: -3, max: 3 })), { maxLength: 12 });
  fc.assert(
    fc.property(values, (all) => {
      const entries = rankEntries(
        all.map((value, index) => ({
          userId: String(index),
          name: null,
          score: value === null ? { reason: 'no-baseline' } : { value },
        })),
      );
      expect(entries.map(({ userId }) => Number(userId)).sort((a, b) => a - b)).toEqual([...all.keys()]);
      for (const { userId, rank } of entries) {
        const mine = all[Number(userId)] ?? null;
        const better = all.filter((value) => value !== null && mine !== null && value > mine).length;
        expect(rank).toBe(mine === null ? null : better + 1);
      }
      const ranks = entries.map(({ rank }) => rank ?? Infinity);
      expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
    }),
    { numRuns },
  );
};
