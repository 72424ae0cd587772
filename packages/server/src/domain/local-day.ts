import { dayMs } from './durations.ts';
import { wallClockAt, type WallClock } from './time-zones.ts';

/**
 * Days are numbers inside (days since 1970-01-01 in the proleptic Gregorian calendar) and `YYYY-MM-DD` outside.
 * The local-day model: domain.md D1.
 */
export type DayNumber = number;

const dayNames = new Map<DayNumber, string>();
const maxDayNames = 20_000; // some 50 years; a wilder day costs a little more

/** `dayOf(0)` is `1970-01-01`. */
export const dayOf = (day: DayNumber): string => {
  let name = dayNames.get(day);
  if (name === undefined) {
    name = new Date(day * dayMs).toISOString().slice(0, 10);
    if (dayNames.size < maxDayNames) dayNames.set(day, name);
  }
  return name;
};

/** `dayNumberOf('1970-01-02')` is 1. */
export const dayNumberOf = (day: string): DayNumber => Date.parse(`${day}T00:00:00Z`) / dayMs;

const monthNames = new Map<DayNumber, string>();

/** `YYYY-MM` of a day. */
export const monthOf = (day: DayNumber): string => {
  let name = monthNames.get(day);
  if (name === undefined) {
    name = dayOf(day).slice(0, 7);
    if (monthNames.size < maxDayNames) monthNames.set(day, name);
  }
  return name;
};

/**
 * The local day of a wall clock: its date, or the date before while the hour is under `dayStartHour`. By the hour that
 * the wall shows, not by subtracted hours: on the day of a clock change the two differ.
 * Both 02:30 of 2026-10-25 in Berlin, with dayStartHour 3: 2026-10-24.
 */
export const localDayOf = (wall: WallClock, dayStartHour: number): DayNumber =>
  wall.hour < dayStartHour ? wall.dayNumber - 1 : wall.dayNumber;

/** The local day of an instant (ms) in a known zone. */
export const localDayAt = (instantMs: number, timeZone: string, dayStartHour: number): DayNumber =>
  localDayOf(wallClockAt(timeZone, instantMs), dayStartHour);

/** The first day of the week that `day` lies in. */
export const startOfWeek = (day: DayNumber, weekStart: 'monday' | 'sunday'): DayNumber => {
  const sinceMonday = (((day + 3) % 7) + 7) % 7; // 1970-01-01 was a Thursday
  return weekStart === 'monday' ? day - sinceMonday : day - ((sinceMonday + 1) % 7);
};

/** The first day of the calendar month that `day` lies in. */
export const startOfMonth = (day: DayNumber): DayNumber => dayNumberOf(`${monthOf(day)}-01`);

/** First and last date of a month `YYYY-MM`. */
export const datesOfMonth = (name: string): { first: DayNumber; last: DayNumber } => {
  const first = dayNumberOf(`${name}-01`);
  let last = first + 27;
  while (monthOf(last + 1) === name) last += 1;
  return { first, last };
};
