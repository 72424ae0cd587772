import { IANAZone } from 'luxon';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

/** What a clock on the wall showed: date as days since 1970-01-01, and hour 0..23. */
export interface WallClock {
  readonly dayNumber: number;
  readonly hour: number;
}

const maxZones = 5_000;
const bareOffset = /^[+-]/;
// Only names that proved valid are kept: what clients invent must not fill the memory.
const known = new Map<string, IANAZone>();

/** True for what `Intl.DateTimeFormat` accepts, links, `UTC` and `Etc/*` included, but no bare offsets. */
export const isKnownZone = (name: string): boolean => zoneOf(name) !== undefined;

const zoneOf = (name: string): IANAZone | undefined => {
  const cached = known.get(name);
  if (cached) return cached;
  if (bareOffset.test(name) || !IANAZone.isValidZone(name)) return undefined;
  const zone = IANAZone.create(name);
  // Case variants are kept as sent, so the bound is the number of spellings, not of zones.
  if (known.size < maxZones) known.set(name, zone);
  return zone;
};

/**
 * The wall clock in a known zone at an instant (ms). Across a clock change the same hour comes twice, or an hour is
 * left out; both are what the wall showed. Luxon decides alone; no other code here knows an offset.
 */
export const wallClockAt = (zoneName: string, instantMs: number): WallClock => {
  const wallMs = instantMs + offsetMinutesAt(zoneName, instantMs) * 60_000;
  const dayNumber = Math.floor(wallMs / dayMs);
  return { dayNumber, hour: Math.floor((wallMs - dayNumber * dayMs) / hourMs) };
};

const minuteMs = 60_000;
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
  else if (newest.size < maxZones) newest.set(zoneName, { minute, offset });
  return offset;
};
