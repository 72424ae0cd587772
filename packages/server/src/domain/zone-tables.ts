import { minuteMs } from './durations.ts';

/** Zone rules in the packed format of moment-timezone, by which they come as data. */
export interface PackedZones {
  /** The release of the IANA time zone database, like `2026f`. */
  readonly version: string;
  /** `name|abbreviations|offsets|indices|untils|population` */
  readonly zones: readonly string[];
  /** `name|link`: the link has the rules of the name. */
  readonly links: readonly string[];
}

/** The offsets of one zone over time. */
export interface Zone {
  /** Minutes that the wall clock is ahead of UTC at an instant (ms). */
  offsetAt(instantMs: number): number;
}

/** Digits of base 60: 0-9, a-z, A-X. */
const digit = (text: string, at = 0): number => {
  const code = text.charCodeAt(at);
  if (code > 96) return code - 87;
  return code > 64 ? code - 29 : code - 48;
};

/** `1o10` is 327,660 (minutes); digits after a point are 60ths, 3,600ths ... */
const base60 = (text: string): number => {
  const isNegative = text.startsWith('-');
  const [whole = '', fraction = ''] = (isNegative ? text.slice(1) : text).split('.');
  let value = 0;
  for (const char of whole) value = value * 60 + digit(char);
  let unit = 1;
  for (const char of fraction) value += digit(char) * (unit /= 60);
  return isNegative ? -value : value;
};

const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');

const unpack = (packed: string): Zone => {
  const [, , packedOffsets = '', packedIndices = '', packedUntils = ''] = packed.split('|');
  // Packed are minutes west of UTC, and the minutes from one change of the offset to the next.
  const offsets = words(packedOffsets).map((word) => 0 - base60(word));
  let minutes = 0;
  const untils = Float64Array.from(words(packedUntils), (word) =>
    Math.round((minutes += base60(word)) * minuteMs),
  );
  const indices = Uint8Array.from({ length: packedIndices.length }, (_, at) => digit(packedIndices, at));
  if (indices.length !== untils.length + 1 || indices.some((index) => index >= offsets.length))
    throw new Error(`the rules of a time zone cannot be read: ${packed.slice(0, 40)}`);
  return {
    offsetAt(instantMs) {
      let [low, high] = [0, untils.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((untils[middle] ?? Infinity) <= instantMs) low = middle + 1;
        else high = middle;
      }
      return offsets[indices[low] ?? 0] ?? 0;
    },
  };
};

/**
 * Finds zones by name in lower case, links included; undefined for a name that the data does not know. A zone is unpacked
 * when it is first asked for. After its last change of the offset a zone keeps that offset: the data goes to the year 2499.
 */
export const zoneTables = ({ zones, links }: PackedZones): ((key: string) => Zone | undefined) => {
  const packed = new Map(zones.map((zone) => [zone.slice(0, zone.indexOf('|')), zone]));
  const namesByKey = new Map([...packed.keys()].map((name) => [name.toLowerCase(), name]));
  for (const link of links) {
    const [name = '', alias = ''] = link.split('|');
    namesByKey.set(alias.toLowerCase(), name);
  }
  const unpacked = new Map<string, Zone>();
  return (key) => {
    const name = namesByKey.get(key);
    const source = name === undefined ? undefined : packed.get(name);
    if (name === undefined || source === undefined) return undefined;
    const zone = unpacked.get(name) ?? unpack(source);
    unpacked.set(name, zone);
    return zone;
  };
};

/** The offsets that this Node.js knows, for names that the data lacks; undefined for a name that Node.js does not know. */
export const intlZone = (key: string): Zone | undefined => {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: key, timeZoneName: 'longOffset' });
  } catch {
    return undefined;
  }
  return {
    offsetAt(instantMs) {
      // `1/1/2026, GMT-08:00`, `GMT` alone at 0, seconds before 1972.
      const [, sign, hours, minutes, seconds = 0] =
        /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(format.format(instantMs)) ?? [];
      if (sign === undefined) return 0;
      const size = Number(hours) * 60 + Number(minutes) + Number(seconds) / 60;
      return sign === '-' ? -size : size;
    },
  };
};
