import type { HourBins, StatsDay } from '@pufftrack/contract';
import { type DayNumber, dayOf, startOfWeek } from '../../../domain/local-day.ts';
import type { Calendar } from '../goals/calendar.ts';

/** The sums of quantity on a local day by wall-clock hour 0..23. */
export type HoursOn = (day: DayNumber) => readonly number[];

const sumOf = (hours: readonly number[]) => hours.reduce((sum, count) => sum + count, 0);

/** Every local day from `from` to `to`, both included. */
export const statsDays = (
  calendar: Calendar,
  { from, to, hoursOn }: { from: DayNumber; to: DayNumber; hoursOn: HoursOn },
): StatsDay[] =>
  Array.from({ length: to - from + 1 }, (_, index) => {
    const day = from + index;
    const hours = [...hoursOn(day)];
    const count = sumOf(hours);
    return {
      day: dayOf(day),
      count,
      status: calendar.statusOf(day, count),
      limit: calendar.limitOn(day),
      hours,
    };
  });

/**
 * The puffs of some local days by hour of the week on the wall clock: with dayStartHour 4, Tuesday 02:00 belongs to the
 * local day Monday and is counted in bin Tuesday 02. `confirmedDays` is the divisor for averages.
 */
export const hourBins = (
  calendar: Calendar,
  { from, to, hoursOn }: { from: DayNumber; to: DayNumber; hoursOn: HoursOn },
): HourBins => {
  const bins = new Array<number>(168).fill(0);
  let confirmedDays = 0;
  for (let day = from; day <= to; day++) {
    const hours = hoursOn(day);
    if (calendar.statusOf(day, sumOf(hours)) === 'confirmed') confirmedDays += 1;
    hours.forEach((count, hour) => {
      const wallDate = hour < calendar.dayStartHour ? day + 1 : day;
      const weekday = wallDate - startOfWeek(wallDate, 'monday');
      const bin = weekday * 24 + hour;
      bins[bin] = (bins[bin] ?? 0) + count;
    });
  }
  return { bins, confirmedDays };
};
