import { expect, it } from '@jest/globals';
import { Instant } from '@pufftrack/contract';
import fc from 'fast-check';
import { timestampWithOffset } from './phone-timestamp.ts';

it.each([
  [-420, '2026-11-25T00:30:00.000-07:00'],
  [345, '2026-11-25T13:15:00.000+05:45'],
  [-210, '2026-11-25T04:00:00.000-03:30'],
  [0, '2026-11-25T07:30:00.000+00:00'],
  [840, '2026-11-25T21:30:00.000+14:00'],
])('an offset of %i minutes is written as %s', (offset, expected) => {
  expect(timestampWithOffset(new Date('2026-11-25T07:30:00Z'), offset)).toBe(expected);
});

it('is the same instant as an ISO string of the contract, with the offset of this device unless one is given', () => {
  const instant = fc.date({
    min: new Date('2015-01-01T00:00:00Z'),
    max: new Date('2040-01-01T00:00:00Z'),
    noInvalidDate: true,
  });
  const offset = fc.option(fc.integer({ min: -14 * 60, max: 16 * 60 }), { nil: undefined });
  fc.assert(
    fc.property(instant, offset, (at, minutes) => {
      const written = timestampWithOffset(at, minutes);
      expect(Instant.safeParse(written).success).toBe(true);
      expect(Date.parse(written)).toBe(at.getTime());
      const shown = Date.parse(`${written.slice(0, 23)}Z`) - at.getTime();
      expect(shown).toBe((minutes ?? 0 - at.getTimezoneOffset()) * 60_000);
    }),
  );
});
