import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { localDayAt } from '../../../domain/local-day.ts';
import { rolledOverDayStarts } from './day-rollover.ts';

const rolledOver = (timeZone: string, from: string, to: string) =>
  rolledOverDayStarts(timeZone, Date.parse(from), Date.parse(to));

describe('rolledOverDayStarts', () => {
  it('returns each day start when the wall clock reaches its hour', () => {
    expect(rolledOver('Europe/Berlin', '2026-10-20T21:45Z', '2026-10-20T22:00Z')).toEqual([0]);
    expect(rolledOver('Europe/Berlin', '2026-10-20T22:00Z', '2026-10-20T22:15Z')).toEqual([]);
    expect(rolledOver('Europe/Berlin', '2026-10-21T01:45Z', '2026-10-21T02:00Z')).toEqual([4]);
    expect(rolledOver('Asia/Kathmandu', '2026-10-20T18:00Z', '2026-10-20T18:15Z')).toEqual([0]);
  });

  it('returns two day starts where the clock skips an hour', () => {
    expect(rolledOver('Europe/Berlin', '2026-03-29T00:45Z', '2026-03-29T01:00Z')).toEqual([2, 3]);
  });

  it('returns all day starts for a window of a day', () => {
    expect(rolledOver('Pacific/Auckland', '2026-10-20T10:00Z', '2026-10-21T10:00Z')).toHaveLength(24);
  });

  it('returns each new day exactly once in adjacent windows', () => {
    const zones = [
      'America/New_York',
      'Australia/Lord_Howe',
      'Pacific/Apia',
      'Europe/Berlin',
      'Asia/Kolkata',
    ];
    const start = Date.parse('2026-01-01T00:00Z');
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: 0, max: 23 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 0, max: 364 * 24 }),
        (timeZone, dayStartHour, quarters, offsetHours) => {
          let from = start + offsetHours * 3_600_000;
          for (const count of quarters) {
            const to = from + count * 900_000;
            const isNewDay =
              localDayAt(from, timeZone, dayStartHour) !== localDayAt(to, timeZone, dayStartHour);
            expect(rolledOverDayStarts(timeZone, from, to).includes(dayStartHour)).toBe(isNewDay);
            from = to;
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});
