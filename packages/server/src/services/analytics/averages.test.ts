import { describe, expect, it } from '@jest/globals';
import { averageOf, changeOf } from './averages.ts';

const confirmed = (count: number) => ({ count, isConfirmed: true });
const unknown = { count: 0, isConfirmed: false };

describe('averages over confirmed days (domain.md D4)', () => {
  it('leave unknown days out', () => {
    expect(averageOf([confirmed(10), unknown, confirmed(4), confirmed(0)], 3)).toBeCloseTo(14 / 3, 12);
  });

  it('are null where too few days are confirmed', () => {
    expect(averageOf([confirmed(10), confirmed(4), unknown], 3)).toBeNull();
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
