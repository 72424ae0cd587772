import { describe, expect, it } from '@jest/globals';
import { Board } from '@pufftrack/contract';
import { baselineToFreeze } from './board-baseline.ts';
import { countsOnBoards, rankEntries, boardScoresOf, type BoardDay, type BoardScore } from './board.ts';

const day = (parts: Partial<BoardDay> = {}): BoardDay => ({
  count: 4,
  limit: null,
  isConfirmed: true,
  isTrimmed: false,
  isLateOnly: false,
  isCheckedInLate: false,
  ...parts,
});
const unknown = day({ count: 0, isConfirmed: false });
const week = (...counts: (number | null)[]) =>
  counts.map((count) => (count === null ? unknown : day({ count, limit: 5 })));

describe('a day on boards (domain.md D11)', () => {
  it.each<[string, Partial<BoardDay>, boolean]>([
    ['with puffs', {}, true],
    ['with a word that there was none', { count: 0 }, true],
    ['of which nothing is known', { count: 0, isConfirmed: false }, false],
    ['from which puffs were deleted late', { isTrimmed: true }, false],
    ['emptied late, with a word that there was none', { count: 0, isTrimmed: true }, false],
    ['whose puffs all came late', { isLateOnly: true }, false],
    ['whose word came late', { count: 0, isCheckedInLate: true }, false],
    ['whose word came late, with puffs that did not', { isCheckedInLate: true }, true],
  ])('%s', (_name, parts, counts) => {
    expect(countsOnBoards(day(parts))).toBe(counts);
  });
});

describe('the standing of a person', () => {
  const of = (
    days: readonly BoardDay[],
    parts: { accountDays?: number; baseline?: number | undefined } = {},
  ) => boardScoresOf({ days, accountDays: 100, baseline: 10, ...parts });

  it('is made of the days that count', () => {
    expect(of([...week(0, 4, 4, 6, 6), unknown, day({ count: 50, isTrimmed: true })])).toEqual({
      reduction: { value: 0.6 },
      underLimitDays: { value: 3 },
      puffFreeDays: { value: 1 },
    });
  });

  it.each<[string, readonly BoardDay[], number, number | undefined, (BoardScore | undefined)[]]>([
    [
      'four days',
      week(4, 4, 4, 4, null, null, null),
      3,
      undefined,
      Board.options.map(() => ({ reason: 'not-enough-data' })),
    ],
    [
      'a young account',
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
    ['all of it', week(4, 4, 4, 4, 6), 7, 10, [{ value: 0.56 }, { value: 4 }, { value: 0 }]],
  ])('with %s', (_name, days, accountDays, baseline, expected) => {
    const standings = of(days, { accountDays, baseline });
    expect(Board.options.map((board) => standings[board])).toEqual(expected);
  });

  it.each<[number, number, number]>([
    [0, 10, 1],
    [10, 10, 0],
    [30, 10, -1],
    [1, 3, 0.67],
    [10.04, 10, 0],
  ])('at a mean of %p against %p is %p', (mean, baseline, value) => {
    const { reduction } = of(week(mean, mean, mean, mean, mean), { baseline });
    expect(reduction).toEqual({ value });
    expect(Object.is('value' in reduction && reduction.value, -0)).toBe(false);
  });

  it('needs a limit to have been under it', () => {
    const days = [1, 2, 3, 4, 5].map((count) => day({ count, limit: count < 3 ? null : 4 }));
    expect(of(days).underLimitDays).toEqual({ value: 2 });
  });
});

describe('ranks', () => {
  it('are shared by equals, who stand by name; who has none stands last', () => {
    const listed = [
      { userId: '1', name: 'Zoe', standing: { value: 0.2 } },
      { userId: '2', name: null, standing: { reason: 'no-baseline' as const } },
      { userId: '3', name: 'Bea', standing: { value: 0.5 } },
      { userId: '4', name: 'Ada', standing: { value: 0.2 } },
      { userId: '5', name: 'Ben', standing: { value: -1 } },
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

describe('the baseline of boards', () => {
  const days = (...numbers: number[]) => numbers.map((number) => ({ day: number, count: number }));

  it.each<[number[], number, number | undefined]>([
    [[1, 2, 3, 4, 5, 6], 99, undefined],
    [[1, 2, 3, 4, 5, 6, 7], 9, undefined],
    [[1, 2, 3, 4, 5, 6, 7], 10, 4],
    [[1, 3, 5, 7, 9, 11, 20, 21, 22], 23, 7],
    [[1, 3, 5, 7, 9, 11, 20, 21, 22], 22, undefined],
  ])('of the days %j on day %i is %p', (counted, today, baseline) => {
    expect(baselineToFreeze(days(...counted), today)).toBe(baseline);
  });
});
