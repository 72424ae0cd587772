import { localDayAt } from '../../../domain/local-day.ts';

const hoursOfDay = Array.from({ length: 24 }, (_, hour) => hour);

/**
 * The values of `dayStartHour` whose local day in this zone began after `from`, up to and including `to` (ms). Usually
 * that is the current wall-clock hour there. Where the clock skips an hour it is two of them.
 * Europe/Berlin, 2026-03-29 00:45Z to 01:00Z (the wall clock goes from 01:59 to 03:00): 2 and 3.
 */
export const rolledOverDayStarts = (timeZone: string, from: number, to: number): number[] =>
  hoursOfDay.filter((hour) => localDayAt(from, timeZone, hour) !== localDayAt(to, timeZone, hour));
