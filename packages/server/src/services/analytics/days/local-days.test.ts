import { describe, expect, it } from '@jest/globals';
import { dayNumberOf, dayOf } from '../../../domain/local-day.ts';
import { dayAt, firstDayOf, pastDayOf, todayOf } from './local-days.ts';

const settings = {
  timeZone: 'Pacific/Auckland',
  timeZones: [
    { timeZone: 'Europe/Berlin', from: Date.parse('2026-01-01T00:00Z') },
    { timeZone: 'Pacific/Auckland', from: Date.parse('2026-06-01T00:00Z') },
  ],
  dayStartHour: 4,
};
const at = (instant: string) => Date.parse(instant);

describe('local days of a profile (domain.md D1)', () => {
  it('computes today in the current zone, with the start of the day', () => {
    expect(dayOf(todayOf(settings, at('2026-06-10T15:59Z')))).toBe('2026-06-10'); // 03:59 of the 11th
    expect(dayOf(todayOf(settings, at('2026-06-10T16:00Z')))).toBe('2026-06-11');
  });

  it.each([
    ['2026-05-31T23:00Z', '2026-05-31'], // 01:00 of the 1st in Berlin
    ['2026-06-01T00:00Z', '2026-06-01'],
    ['2025-06-01T12:00Z', '2025-06-01'],
  ])('computes the day of the past instant %s in the zone of that time: %s', (instant, day) => {
    expect(dayOf(pastDayOf(settings, at(instant)))).toBe(day);
  });

  it('uses the current zone for future instants', () => {
    const now = at('2026-05-20T00:00Z');
    expect(dayOf(dayAt(settings, at('2026-05-20T20:00Z'), now))).toBe('2026-05-21');
    expect(dayOf(dayAt(settings, at('2026-05-19T20:00Z'), now))).toBe('2026-05-19');
  });

  it('puts the first possible puff ten years and three days before the sign-up', () => {
    const signUp = dayNumberOf('2026-10-20');
    expect(signUp - firstDayOf({ createdAt: at('2026-10-20T10:00Z') })).toBe(3_656);
  });
});
