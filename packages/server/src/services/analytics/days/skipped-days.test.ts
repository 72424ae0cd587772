import { describe, expect, it } from '@jest/globals';
import { dayNumberOf, dayOf } from '../../../domain/local-day.ts';
import type { ZonePeriod } from '../ports.ts';
import { existenceMs, skippedDays } from './skipped-days.ts';

const hourMs = 3_600_000;
const lived = (...periods: [timeZone: string, from: string][]): ZonePeriod[] =>
  periods.map(([timeZone, from]) => ({ timeZone, from: Date.parse(from) }));
const skipped = (periods: ZonePeriod[], dayStartHour = 0) =>
  [...skippedDays(periods, dayStartHour)].map(dayOf);

describe('skippedDays (domain.md D1)', () => {
  it.each<[string, [string, string][], number, string[]]>([
    ['a life in one place', [['Europe/Berlin', '2026-01-01T00:00:00Z']], 0, []],
    [
      'Honolulu until 23:00, then the Line Islands: one hour of the 11th',
      [
        ['Pacific/Honolulu', '2026-01-01T00:00:00Z'],
        ['Pacific/Kiritimati', '2026-06-11T09:00:00Z'],
      ],
      0,
      ['2026-06-11'],
    ],
    [
      'the same at 17:00: seven hours of the 11th are enough',
      [
        ['Pacific/Honolulu', '2026-01-01T00:00:00Z'],
        ['Pacific/Kiritimati', '2026-06-11T03:00:00Z'],
      ],
      0,
      [],
    ],
    [
      'the same for a night-shift worker whose day starts at noon: five hours of the 10th',
      [
        ['Pacific/Honolulu', '2026-01-01T00:00:00Z'],
        ['Pacific/Kiritimati', '2026-06-11T03:00:00Z'],
      ],
      12,
      ['2026-06-10'],
    ],
    [
      'a flight back over the line, which repeats a day',
      [
        ['Pacific/Kiritimati', '2026-01-01T00:00:00Z'],
        ['Pacific/Honolulu', '2026-06-11T09:00:00Z'],
      ],
      0,
      [],
    ],
    [
      'two hops over the line',
      [
        ['Pacific/Honolulu', '2026-01-01T00:00:00Z'],
        ['Europe/Berlin', '2026-06-11T09:00:00Z'],
        ['Pacific/Kiritimati', '2026-06-11T09:30:00Z'],
      ],
      0,
      ['2026-06-11'],
    ],
    ['Samoa, which left a date out', [['Pacific/Apia', '2010-01-01T00:00:00Z']], 0, ['2011-12-30']],
    [
      'New Zealand, where Samoa was left before it moved',
      [
        ['Pacific/Apia', '2010-01-01T00:00:00Z'],
        ['Pacific/Auckland', '2011-06-01T00:00:00Z'],
      ],
      0,
      [],
    ],
  ])('%s', (_what, periods, dayStartHour, days) => {
    expect(skipped(lived(...periods), dayStartHour)).toEqual(days);
  });

  it('are found in linear time for a client that set its zone 100 times in an hour', () => {
    const start = Date.parse('2026-06-11T09:00:00Z');
    let looks = 0;
    const periods = Array.from({ length: 100 }, (_, index) => ({
      get timeZone() {
        looks += 1;
        return index % 2 === 0 ? 'Pacific/Honolulu' : 'Pacific/Kiritimati';
      },
      from: start + index * 36_000,
    }));
    expect(skipped(periods)).toEqual(['2026-06-11']);
    // Five days are near, and each is measured once.
    expect(looks).toBeLessThan(10 * periods.length);
  });

  it('last 23 and 25 hours at clock changes', () => {
    const berlin = lived(['Europe/Berlin', '2026-01-01T00:00:00Z']);
    const hours = (day: string) => existenceMs(dayNumberOf(day), berlin, 0) / hourMs;
    expect(['2026-03-29', '2026-10-25', '2026-10-26'].map(hours)).toEqual([23, 25, 24]);
  });
});
