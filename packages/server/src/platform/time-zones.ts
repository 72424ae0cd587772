import { IANAZone } from 'luxon';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

/** What a clock on the wall showed: date as days since 1970-01-01, and hour 0..23. */
export interface WallClock {
  readonly dayNumber: number;
  readonly hour: number;
}

/** The characters of zone names; a bare offset begins with another one. */
const zoneName = /^\w[\w+\-/]*$/;
/**
 * By name in lower case, and only names that proved valid. Luxon keeps a formatter of some 80 KB for good for each name
 * that it is given, and a zone has as many spellings as its letters have cases: what clients send must not be the key.
 */
const known = new Map<string, IANAZone>();

/** True for what `Intl.DateTimeFormat` accepts, links, `UTC` and `Etc/*` included, but no bare offsets. */
export const isKnownZone = (name: string): boolean => zoneOf(name) !== undefined;

const zoneOf = (name: string): IANAZone | undefined => {
  if (!zoneName.test(name)) return undefined;
  const key = name.toLowerCase();
  const cached = known.get(key);
  if (cached) return cached;
  if (!IANAZone.isValidZone(key)) return undefined;
  const zone = IANAZone.create(key);
  known.set(key, zone);
  return zone;
};

/**
 * The wall clock in a known zone at an instant (ms). Across a clock change the same hour comes twice, or an hour is
 * left out; both are what the wall showed. Luxon decides alone; no other code here knows an offset.
 */
export const wallClockAt = (zoneName: string, instantMs: number): WallClock =>
  wallClockAtOffset(instantMs, offsetMinutesAt(zoneName, instantMs));

/** The wall clock that is `offsetMinutes` ahead of UTC at an instant (ms). */
export const wallClockAtOffset = (instantMs: number, offsetMinutes: number): WallClock => {
  const wallMs = instantMs + offsetMinutes * minuteMs;
  const dayNumber = Math.floor(wallMs / dayMs);
  return { dayNumber, hour: Math.floor((wallMs - dayNumber * dayMs) / hourMs) };
};

const minuteMs = 60_000;
/** Names as they are sent, which are spelled in more ways than there are zones. */
const maxNames = 5_000;
/** The newest answer for each zone: most questions are about now, and clocks have changed at whole minutes since 1972. */
const newest = new Map<string, { minute: number; offset: number }>();
const exactMinutesSince = Date.UTC(1973, 0, 1);

/** Minutes that the wall of a known zone is ahead of UTC at an instant (ms). */
export const offsetMinutesAt = (zoneName: string, instantMs: number): number => {
  const minute = Math.floor(instantMs / minuteMs);
  const known = newest.get(zoneName);
  if (known?.minute === minute && instantMs >= exactMinutesSince) return known.offset;
  const zone = zoneOf(zoneName);
  if (!zone) throw new RangeError(`unknown time zone ${zoneName}`);
  const offset = zone.offset(instantMs);
  if (known) Object.assign(known, { minute, offset });
  else if (newest.size < maxNames) newest.set(zoneName, { minute, offset });
  return offset;
};
