import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { dayNumberOf, dayOf, localDayAt, monthOf, startOfMonth, startOfWeek } from './local-day.ts';

describe('the local day of an instant (domain.md D1)', () => {
  it.each([
    ['2026-10-25T00:30:00Z', 'Europe/Berlin', 0, '2026-10-25'],
    ['2026-10-25T01:30:00Z', 'Europe/Berlin', 0, '2026-10-25'],
    ['2026-10-25T00:30:00Z', 'Europe/Berlin', 3, '2026-10-24'],
    ['2026-10-25T01:30:00Z', 'Europe/Berlin', 3, '2026-10-24'],
    ['2026-03-29T00:59:00Z', 'Europe/Berlin', 2, '2026-03-28'],
    ['2026-03-29T01:00:00Z', 'Europe/Berlin', 2, '2026-03-29'],
    ['2026-11-01T05:30:00Z', 'America/New_York', 4, '2026-10-31'],
    ['2026-06-10T10:00:00Z', 'Pacific/Auckland', 0, '2026-06-10'],
    ['2026-06-10T20:00:00Z', 'America/Los_Angeles', 0, '2026-06-10'],
    // 45 and 30 minutes, no clock change, and the day that Samoa left out (REL-12).
    ['2026-06-10T18:14:00Z', 'Asia/Kathmandu', 0, '2026-06-10'],
    ['2026-06-10T18:15:00Z', 'Asia/Kathmandu', 0, '2026-06-11'],
    ['2026-04-04T14:59:00Z', 'Australia/Lord_Howe', 2, '2026-04-04'],
    ['2026-03-29T00:30:00Z', 'Europe/Istanbul', 4, '2026-03-28'],
    ['2011-12-30T09:59:00Z', 'Pacific/Apia', 0, '2011-12-29'],
    ['2011-12-30T10:00:00Z', 'Pacific/Apia', 0, '2011-12-31'],
  ])('%s in %s with the day starting at %i is %s', (instant, zone, dayStartHour, day) => {
    expect(dayOf(localDayAt(Date.parse(instant), zone, dayStartHour))).toBe(day);
  });
});

describe('days as numbers', () => {
  const day = fc.integer({ min: -40_000, max: 40_000 });

  it('go to a date and back', () => {
    fc.assert(fc.property(day, (number) => dayNumberOf(dayOf(number)) === number));
  });

  it('begin their week on a Monday or a Sunday, at most six days earlier', () => {
    fc.assert(
      fc.property(day, fc.constantFrom('monday' as const, 'sunday' as const), (number, weekStart) => {
        const start = startOfWeek(number, weekStart);
        const weekday = new Date(`${dayOf(start)}T00:00:00Z`).getUTCDay();
        return weekday === (weekStart === 'monday' ? 1 : 0) && start <= number && number - start < 7;
      }),
    );
  });

  it('begin their month on its first', () => {
    fc.assert(fc.property(day, (number) => dayOf(startOfMonth(number)) === `${monthOf(number)}-01`));
  });
});
