import { describe, expect, it } from '@jest/globals';
import { dayOf } from '../../../domain/local-day.ts';
import { checkInDays } from './check-in.ts';
import { dayStatus } from './day-status.ts';

describe('dayStatus (domain.md D4)', () => {
  it.each([
    [3, false, false, 'confirmed'],
    [0, true, false, 'confirmed'],
    [3, true, false, 'confirmed'],
    [0, false, false, 'unknown'],
    [0, false, true, 'skipped'],
    [1, false, true, 'confirmed'],
    [0, true, true, 'confirmed'],
  ])('%i puffs, checked in: %p, skipped: %p is %s', (count, isCheckedIn, isSkipped, status) => {
    expect(dayStatus({ count, isCheckedIn, isSkipped })).toBe(status);
  });
});

describe('checkInDays', () => {
  const today = 20_000;

  it('accepts past days of the last 30 without duplicates', () => {
    const days = [today - 1, today - 30, today - 1].map(dayOf);
    expect(checkInDays(days, today)).toEqual([today - 1, today - 30]);
  });

  it.each([today, today + 1, today - 31])('rejects day %i with today 20000', (day) => {
    expect(() => checkInDays([dayOf(today - 1), dayOf(day)], today)).toThrow(
      expect.objectContaining({
        code: 'invalid',
        details: expect.objectContaining({ errors: [expect.objectContaining({ path: 'days.1' })] }),
      }),
    );
  });
});
