import { describe, expect, it } from '@jest/globals';
import { isLateCheckIn } from './check-in.ts';

describe('isLateCheckIn (domain.md D11)', () => {
  it.each([
    [1, false],
    [3, false],
    [4, true],
  ])('returns for a check-in given %i days after its day: %p', (daysLater, isLate) => {
    expect(isLateCheckIn(20_000, 20_000 + daysLater)).toBe(isLate);
  });
});
