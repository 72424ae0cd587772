import type { QuietHours } from '@pufftrack/contract';
import { offsetMinutesAt } from '../../../domain/time-zones.ts';

const minuteMs = 60_000;
const dayMinutes = 24 * 60;

const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/** Minutes since midnight that the wall of a zone shows. */
const wallMinutesAt = (timeZone: string, instant: number): number => {
  const minutes = Math.floor(instant / minuteMs) + offsetMinutesAt(timeZone, instant);
  return ((minutes % dayMinutes) + dayMinutes) % dayMinutes;
};

const isQuiet = ({ from, to }: QuietHours, minutes: number): boolean => {
  const [start, end] = [minutesOf(from), minutesOf(to)];
  return start < end ? minutes >= start && minutes < end : minutes >= start || minutes < end;
};

/**
 * The first instant (ms) from `now` on that is not quiet by the wall clock there; `now` itself where it is not. The
 * wall decides: on the night when Berlin's clock skips 02:00 to 03:00, hours that end at 02:30 end as it shows 03:00;
 * where an hour comes twice they are quiet both times. 22:00 to 07:00 at 23:30: 07:00.
 */
export const quietUntil = (hours: QuietHours | null, timeZone: string, now: number): number => {
  if (!hours || !isQuiet(hours, wallMinutesAt(timeZone, now))) return now;
  // A day of quiet less a minute, and the hour that a clock change may add.
  const last = dayMinutes + 120;
  const first = Math.floor(now / minuteMs) * minuteMs;
  for (let minute = 1; minute <= last; minute++) {
    const instant = first + minute * minuteMs;
    if (!isQuiet(hours, wallMinutesAt(timeZone, instant))) return instant;
  }
  return now;
};
