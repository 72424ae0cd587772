import { hourMs } from './durations.ts';
import { offsetMinutesAt, wallClockAtOffset, type WallClock } from './time-zones.ts';

/** The phone's offset decides up to this difference from the zone's rule; a larger one is no newer rule of that zone. */
const toleranceMinutes = 120;

/** How far a stored wall clock is from UTC at most: zone rules reach from -12 h to +14 h, the phone's offset 2 h further. */
export const wallReachMs = 16 * hourMs;

/**
 * Minutes ahead of UTC that an ISO 8601 timestamp states. Undefined for `Z` and a zero offset: clients write both for
 * an instant in UTC, whatever the phone's clock shows.
 */
export const statedOffset = (timestamp: string): number | undefined => {
  if (timestamp.endsWith('Z')) return undefined;
  const minutes = Number(timestamp.slice(-5, -3)) * 60 + Number(timestamp.slice(-2));
  if (minutes === 0) return undefined;
  return timestamp.at(-6) === '-' ? -minutes : minutes;
};

/**
 * What the phone's clock showed (domain.md D1): its stated offset decides where it differs from the zone's rule by at
 * most 2 h, because its zone data may be newer; otherwise the zone's rule does, because the client sends a fixed offset.
 * Example: 00:30-07:00 in a zone whose rule says -08:00 is hour 0 of that date; 00:30+09:00 there is read in the zone.
 *
 * @param instantMs may differ from `timestamp`: an instant ahead of the server is clipped to now.
 * @param timestamp as sent; undefined where the client sent none.
 */
export const phoneWallClock = (
  timeZone: string,
  instantMs: number,
  timestamp: string | undefined,
): { wall: WallClock; isStated: boolean } => {
  const rule = offsetMinutesAt(timeZone, instantMs);
  const stated = timestamp === undefined ? undefined : statedOffset(timestamp);
  const isStated = stated !== undefined && Math.abs(stated - rule) <= toleranceMinutes;
  return { wall: wallClockAtOffset(instantMs, isStated ? stated : rule), isStated };
};
