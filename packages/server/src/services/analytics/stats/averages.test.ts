import { describe, expect, it } from '@jest/globals';
import { averageOf, changeOf } from './averages.ts';

describe('averages over confirmed days (domain.md D4)', () => {
  const days = { counts: [99, 10, 0, 4, 0], isConfirmed: [true, true, false, true, true] };

  it('exclude unknown days', () => {
    expect(averageOf(days, { from: 1, to: 4, least: 3 })).toBeCloseTo(14 / 3, 12);
  });

  it('are null where too few days are confirmed', () => {
    expect(averageOf(days, { from: 1, to: 3, least: 3 })).toBeNull();
  });

  it.each([
    [6, 8, -0.25],
    [10 / 3, 4, -0.167],
    [8, 8, 0],
    [7.9999, 8, 0],
    [0, 8, -1],
    [3, 0, null],
    [null, 8, null],
    [8, null, null],
  ])('%p after %p is a change of %p', (now, before, change) => {
    expect(changeOf(now, before)).toBe(change);
  });
});
