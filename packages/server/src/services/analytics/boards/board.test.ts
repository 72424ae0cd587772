import { describe, expect, it } from '@jest/globals';
import { Board } from '@pufftrack/contract';
import { baselineToFreeze } from './board-baseline.ts';
import { countsOnBoards, rankEntries, boardScoresOf, type BoardDay, type BoardScore } from './board.ts';

const day = (parts: Partial<BoardDay> = {}): BoardDay => ({
  count: 4,
  limit: null,
  isConfirmed: true,
  hasLateRemovals: false,
  isLateOnly: false,
  isCheckedInLate: false,
  ...parts,
});
const unknown = day({ count: 0, isConfirmed: false });
const week = (...counts: (number | null)[]) =>
  counts.map((count) => (count === null ? unknown : day({ count, limit: 5 })));

describe('countsOnBoards (domain.md D11)', () => {
  it.each<[string, Partial<BoardDay>, boolean]>([
    ['counts a day with puffs', {}, true],
    ['counts a day with a check-in', { count: 0 }, true],
    ['does not count an unknown day', { count: 0, isConfirmed: false }, false],
    ['does not count a day with late removals', { hasLateRemovals: true }, false],
    [
      'does not count a day with a check-in that was emptied late',
      { count: 0, hasLateRemovals: true },
      false,
    ],
    ['does not count a day whose puffs were all received late', { isLateOnly: true }, false],
    ['does not count a day with a late check-in only', { count: 0, isCheckedInLate: true }, false],
    ['counts a day with a late check-in and timely puffs', { isCheckedInLate: true }, true],
  ])('%s', (_name, parts, counts) => {
    expect(countsOnBoards(day(parts))).toBe(counts);
  });
});

describe('boardScoresOf', () => {
  const of = (
    days: readonly BoardDay[],
    parts: { accountDays?: number; baseline?: number | undefined } = {},
  ) => boardScoresOf({ days, accountDays: 100, baseline: 10, ...parts });

  it('uses only the days that count', () => {
    expect(of([...week(0, 4, 4, 6, 6), unknown, day({ count: 50, hasLateRemovals: true })])).toEqual({
      reduction: { value: 0.6 },
      underLimitDays: { value: 3 },
      puffFreeDays: { value: 1 },
    });
  });

  it.each<[string, readonly BoardDay[], number, number | undefined, (BoardScore | undefined)[]]>([
    [
      'four counted days',
      week(4, 4, 4, 4, null, null, null),
      3,
      undefined,
      Board.options.map(() => ({ reason: 'not-enough-data' })),
    ],
    [
      'a new account',
      week(4, 4, 4, 4, 4),
      6,
      undefined,
      Board.options.map(() => ({ reason: 'new-account' })),
    ],
    [
      'no baseline',
      week(4, 4, 4, 4, 6),
      7,
      undefined,
      [{ reason: 'no-baseline' }, { value: 4 }, { value: 0 }],
    ],
    ['a baseline of 0', week(0, 0, 0, 0, 6), 7, 0, [{ reason: 'no-baseline' }, { value: 4 }, { value: 4 }]],
    [
      'enough days, account age and baseline',
      week(4, 4, 4, 4, 6),
      7,
      10,
      [{ value: 0.56 }, { value: 4 }, { value: 0 }],
    ],
  ])('gives values or reasons with %s', (_name, days, accountDays, baseline, expected) => {
    const scores = of(days, { accountDays, baseline });
    expect(Board.options.map((board) => scores[board])).toEqual(expected);
  });

  it.each<[number, number, number]>([
    [0, 10, 1],
    [10, 10, 0],
    [30, 10, -1],
    [1, 3, 0.67],
    [10.04, 10, 0],
  ])('computes the reduction of a mean of %p against a baseline of %p as %p', (mean, baseline, value) => {
    const { reduction } = of(week(mean, mean, mean, mean, mean), { baseline });
    expect(reduction).toEqual({ value });
    expect(Object.is('value' in reduction && reduction.value, -0)).toBe(false);
  });

  it('counts days under the limit only where a limit was in force', () => {
    const days = [1, 2, 3, 4, 5].map((count) => day({ count, limit: count < 3 ? null : 4 }));
    expect(of(days).underLimitDays).toEqual({ value: 2 });
  });
});

describe('rankEntries', () => {
  it('gives equal values the same rank ordered by name, and puts entries without a rank last', () => {
    const listed = [
      { userId: '1', name: 'Zoe', score: { value: 0.2 } },
      { userId: '2', name: null, score: { reason: 'no-baseline' as const } },
      { userId: '3', name: 'Bea', score: { value: 0.5 } },
      { userId: '4', name: 'Ada', score: { value: 0.2 } },
      { userId: '5', name: 'Ben', score: { value: -1 } },
    ];
    expect(rankEntries(listed)).toEqual([
      { rank: 1, userId: '3', name: 'Bea', value: 0.5 },
      { rank: 2, userId: '4', name: 'Ada', value: 0.2 },
      { rank: 2, userId: '1', name: 'Zoe', value: 0.2 },
      { rank: 4, userId: '5', name: 'Ben', value: -1 },
      { rank: null, userId: '2', name: null, value: null, reason: 'no-baseline' },
    ]);
    expect(rankEntries([...listed].reverse())).toEqual(rankEntries(listed));
  });
});

describe('baselineToFreeze', () => {
  const days = (...numbers: number[]) => numbers.map((number) => ({ day: number, count: number }));

  it.each<[number[], number, number | undefined]>([
    [[1, 2, 3, 4, 5, 6], 99, undefined],
    [[1, 2, 3, 4, 5, 6, 7], 9, undefined],
    [[1, 2, 3, 4, 5, 6, 7], 10, 4],
    [[1, 3, 5, 7, 9, 11, 20, 21, 22], 23, 7],
    [[1, 3, 5, 7, 9, 11, 20, 21, 22], 22, undefined],
  ])('with the counted days %j returns on day %i: %p', (counted, today, baseline) => {
    expect(baselineToFreeze(days(...counted), today)).toBe(baseline);
  });
});
