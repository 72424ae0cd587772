import { describe, expect, it } from '@jest/globals';
import { dayNumberOf } from '../../../domain/local-day.ts';
import { calendarOf } from '../goals/calendar.ts';
import { hourBins, statsDays } from './stats-days.ts';

const monday = dayNumberOf('2026-11-23');
const calendar = calendarOf(
  4,
  { goals: [], checkIns: new Set([monday + 1]), lateCheckIns: new Set(), skipped: new Set() },
  monday + 5,
);
/** Two puffs at 02:00 and one at 23:00 of the local day Monday. */
const hoursOn = (day: number) =>
  Array.from({ length: 24 }, (_, hour) => (day !== monday ? 0 : hour === 2 ? 2 : hour === 23 ? 1 : 0));

describe('statsDays', () => {
  it('lists each day with count, status, limit and hours', () => {
    const days = statsDays(calendar, { from: monday, to: monday + 2, hoursOn });
    expect(days.map(({ day, count, status, limit }) => [day, count, status, limit])).toEqual([
      ['2026-11-23', 3, 'confirmed', null],
      ['2026-11-24', 0, 'confirmed', null],
      ['2026-11-25', 0, 'unknown', null],
    ]);
    expect(days[0]?.hours).toEqual(hoursOn(monday));
  });
});

describe('hourBins', () => {
  it('counts hours before the start of the day under the next date, and the confirmed days', () => {
    const { bins, confirmedDays } = hourBins(calendar, { from: monday, to: monday + 2, hoursOn });
    expect(bins.flatMap((count, bin) => (count > 0 ? [[bin, count]] : []))).toEqual([
      [23, 1],
      [24 + 2, 2],
    ]);
    expect(confirmedDays).toBe(2);
  });
});
