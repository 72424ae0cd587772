import type { QuietHours } from '@pufftrack/contract';
import { minuteMs } from '../../../domain/durations.ts';
import { offsetMinutesAt } from '../../../domain/time-zones.ts';

const dayMinutes = 24 * 60;

const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/** Minutes since midnight on the wall clock of a zone. */
const wallMinutesAt = (timeZone: string, instant: number): number => {
  const minutes = Math.floor(instant / minuteMs) + offsetMinutesAt(timeZone, instant);
  return ((minutes % dayMinutes) + dayMinutes) % dayMinutes;
};

const isQuiet = ({ from, to }: QuietHours, minutes: number): boolean => {
  const [start, end] = [minutesOf(from), minutesOf(to)];
  return start < end ? minutes >= start && minutes < end : minutes >= start || minutes < end;
};

/**
 * The first instant (ms) from `now` on that is outside the quiet hours by the wall clock of the zone. Quiet hours that end
 * at 02:30 end at 03:00 in the night in which Berlin's clock skips 02:00 to 03:00; an hour that occurs twice is quiet
 * twice. Example: 22:00 to 07:00, at 23:30: 07:00.
 */
export const quietUntil = (hours: QuietHours | null, timeZone: string, now: number): number => {
  if (!hours || !isQuiet(hours, wallMinutesAt(timeZone, now))) return now;
  // Quiet hours last less than a day; a clock change may add an hour.
  const last = dayMinutes + 120;
  const first = Math.floor(now / minuteMs) * minuteMs;
  for (let minute = 1; minute <= last; minute++) {
    const instant = first + minute * minuteMs;
    if (!isQuiet(hours, wallMinutesAt(timeZone, instant))) return instant;
  }
  return now;
};
