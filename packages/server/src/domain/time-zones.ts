import { dayMs, hourMs, minuteMs } from './durations.ts';
import { installedZones } from './zone-rules.ts';
import { intlZone, zoneTables, type PackedZones, type Zone } from './zone-tables.ts';

/** What a clock on the wall showed: date as days since 1970-01-01, and hour 0..23. */
export interface WallClock {
  readonly dayNumber: number;
  readonly hour: number;
}

/** The characters of zone names; a bare offset begins with another one. */
const zoneName = /^\w[\w+\-/]*$/;
/** Names as they are sent, which are spelled in more ways than there are zones. */
const maxNames = 5_000;
/** Clocks have changed at whole minutes since 1972. */
const exactMinutesSince = Date.UTC(1973, 0, 1);

/** The zone rules in use; no other code knows an offset. */
export const createTimeZones = (data: PackedZones) => {
  const tableOf = zoneTables(data);
  /**
   * By name in lower case, and only names that proved valid: a formatter of Intl costs some 80 KB for good, and a zone has
   * as many spellings as its letters have cases, so what clients send must not be the key.
   */
  const known = new Map<string, Zone>();
  /** The newest answer for each zone: most questions are about now. */
  const newest = new Map<string, { minute: number; offset: number }>();

  const zoneOf = (name: string): Zone | undefined => {
    if (!zoneName.test(name)) return undefined;
    const key = name.toLowerCase();
    const cached = known.get(key);
    if (cached) return cached;
    const zone = tableOf(key) ?? intlZone(key);
    if (zone) known.set(key, zone);
    return zone;
  };

  return {
    /**
     * True for what the rules in use or `Intl.DateTimeFormat` know, links, `UTC` and `Etc/*` included, but no bare offsets.
     */
    isKnownZone: (name: string): boolean => zoneOf(name) !== undefined,

    /** Minutes that the wall clock of a known zone is ahead of UTC at an instant (ms); throws RangeError for another. */
    offsetMinutesAt(zoneName: string, instantMs: number): number {
      const minute = Math.floor(instantMs / minuteMs);
      const last = newest.get(zoneName);
      if (last?.minute === minute && instantMs >= exactMinutesSince) return last.offset;
      const zone = zoneOf(zoneName);
      if (!zone) throw new RangeError(`unknown time zone ${zoneName}`);
      const offset = zone.offsetAt(instantMs);
      if (last) Object.assign(last, { minute, offset });
      else if (newest.size < maxNames) newest.set(zoneName, { minute, offset });
      return offset;
    },
  };
};

export const { isKnownZone, offsetMinutesAt } = createTimeZones(installedZones);

/**
 * The wall clock in a known zone at an instant (ms). Across a clock change the same hour comes twice, or an hour is
 * left out; both are what the wall showed.
 */
export const wallClockAt = (zoneName: string, instantMs: number): WallClock =>
  wallClockAtOffset(instantMs, offsetMinutesAt(zoneName, instantMs));

/** The wall clock that is `offsetMinutes` ahead of UTC at an instant (ms). */
export const wallClockAtOffset = (instantMs: number, offsetMinutes: number): WallClock => {
  const wallMs = instantMs + offsetMinutes * minuteMs;
  const dayNumber = Math.floor(wallMs / dayMs);
  return { dayNumber, hour: Math.floor((wallMs - dayNumber * dayMs) / hourMs) };
};
