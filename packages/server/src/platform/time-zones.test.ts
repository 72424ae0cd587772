import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { isKnownZone, wallClockAt } from './time-zones.ts';

describe('zone names', () => {
  it.each([
    'Europe/Berlin',
    'europe/berlin',
    'UTC',
    'Etc/GMT+5',
    'Asia/Calcutta',
    'Asia/Kolkata',
    'US/Eastern',
  ])('knows %s', (name) => {
    expect(isKnownZone(name)).toBe(true);
  });
  it.each(['+02:00', '-0500', 'Mars/Olympus', '', 'Europe/', 'local', 'system', 'Europe/\u212aiev'])(
    'does not know %j',
    (name) => {
      expect(isKnownZone(name)).toBe(false);
    },
  );
});

it('a zone costs the same memory in however many spellings it is sent', () => {
  const name = 'america/argentina/comodrivadavia';
  const formatters = jest.spyOn(Intl, 'DateTimeFormat');
  for (let bits = 0; bits < 200; bits++) {
    const spelling = name.replace(/./g, (letter, at: number) =>
      bits & (1 << at) ? letter.toUpperCase() : letter,
    );
    expect(isKnownZone(spelling)).toBe(true);
    expect(wallClockAt(spelling, bits).hour).toBe(21);
  }
  expect(formatters.mock.calls.length).toBeLessThan(5);
  formatters.mockRestore();
});

describe('the wall clock', () => {
  it('is what Intl says, at any instant in any zone', () => {
    const zones = fc.constantFrom(
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'Asia/Kathmandu',
      'Pacific/Apia',
      'Africa/Cairo',
      'America/St_Johns',
      'UTC',
    );
    const instants = fc.integer({ min: Date.parse('1990-01-01'), max: Date.parse('2037-12-31') });
    fc.assert(
      fc.property(zones, instants, (timeZone, instant) => {
        const parts = new Intl.DateTimeFormat('en-US', {
          timeZone,
          hourCycle: 'h23',
          year: 'numeric',
          month: '2-digit',
          day: '2-digit',
          hour: '2-digit',
        }).formatToParts(instant);
        const part = (type: string) => Number(parts.find((item) => item.type === type)?.value);
        const dayNumber = Date.UTC(part('year'), part('month') - 1, part('day')) / 86_400_000;
        expect(wallClockAt(timeZone, instant)).toEqual({ dayNumber, hour: part('hour') });
      }),
      { numRuns: 500 },
    );
  });

  it('refuses a zone that it does not know', () => {
    expect(() => wallClockAt('Mars/Olympus', 0)).toThrow(RangeError);
  });
});
