import { dayMs } from '../../../domain/durations.ts';
import { type DayNumber, localDayAt } from '../../../domain/local-day.ts';
import type { ZonePeriod } from '../ports.ts';

/** The settings that decide about the local days of a user. */
export interface CalendarSettings {
  readonly timeZone: string;
  /** Oldest first. */
  readonly timeZones: readonly ZonePeriod[];
  readonly dayStartHour: number;
}

/** The current local day, in the zone of the profile. */
export const todayOf = (settings: CalendarSettings, now: number): DayNumber =>
  localDayAt(now, settings.timeZone, settings.dayStartHour);

/** The local day of a past instant (ms), in the zone that the profile had then. */
export const pastDayOf = (settings: CalendarSettings, instant: number): DayNumber => {
  const period = settings.timeZones.findLast(({ from }) => from <= instant) ?? settings.timeZones[0];
  return localDayAt(instant, period?.timeZone ?? settings.timeZone, settings.dayStartHour);
};

/** The local day of an instant (ms): a past one in the zone of that time, a future one in the current zone. */
export const dayAt = (settings: CalendarSettings, instant: number, now: number): DayNumber =>
  instant >= now ? todayOf(settings, instant) : pastDayOf(settings, instant);

/** A puff can be ten years older than its receipt, which is after the sign-up. Three more days cover all zones. */
const maxDaysBeforeSignUp = 3_656;

/** No puff of a user lies before this day. `createdAt` in ms. */
export const firstDayOf = ({ createdAt }: { readonly createdAt: number }): DayNumber =>
  Math.floor(createdAt / dayMs) - maxDaysBeforeSignUp;
