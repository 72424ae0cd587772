import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { dayMs } from './durations.ts';
import { createTimeZones, isKnownZone, offsetMinutesAt, wallClockAt } from './time-zones.ts';
import { installedZones } from './zone-rules.ts';
import { intlZone } from './zone-tables.ts';

describe('zone names', () => {
  it.each([
    'Europe/Berlin',
    'europe/berlin',
    'UTC',
    'Etc/GMT+5',
    'Asia/Calcutta',
    'Asia/Kolkata',
    'US/Eastern',
  ])('knows %s', (name) => {
    expect(isKnownZone(name)).toBe(true);
  });
  it.each(['+02:00', '-0500', 'Mars/Olympus', '', 'Europe/', 'local', 'system', 'Europe/\u212aiev'])(
    'does not know %j',
    (name) => {
      expect(isKnownZone(name)).toBe(false);
    },
  );
});

it('a zone costs the same memory in however many spellings it is sent', () => {
  const name = 'america/argentina/comodrivadavia';
  const formatters = jest.spyOn(Intl, 'DateTimeFormat');
  for (let bits = 0; bits < 200; bits++) {
    const spelling = name.replace(/./g, (letter, at: number) =>
      bits & (1 << at) ? letter.toUpperCase() : letter,
    );
    expect(isKnownZone(spelling)).toBe(true);
    expect(wallClockAt(spelling, bits).hour).toBe(21);
  }
  expect(formatters.mock.calls.length).toBeLessThan(5);
  formatters.mockRestore();
});

const day = (date: string) => Date.parse(`${date}T00:00:00Z`);

describe('the zone rules in use', () => {
  it('are those of the installed data, which is no older than the data of Node.js', () => {
    expect(installedZones.version >= (process.versions['tz'] ?? '')).toBe(true);
  });

  it.each([
    // British Columbia stays on UTC-7 from 2026 on; release 2025c does not know it.
    ['America/Vancouver', '2026-11-25T07:30:00Z', '2026-11-25', 0],
    ['Canada/Pacific', '2026-11-25T07:30:00Z', '2026-11-25', 0],
    ['America/Vancouver', '2025-11-25T07:30:00Z', '2025-11-24', 23],
    // Morocco stays on UTC from September 2026 on.
    ['Africa/Casablanca', '2026-11-24T23:30:00Z', '2026-11-24', 23],
  ])('in %s at %s show %s, hour %i', (zone, instant, date, hour) => {
    expect(wallClockAt(zone, Date.parse(instant))).toEqual({ dayNumber: day(date) / dayMs, hour });
  });

  it('go on after the last change that is listed for Node.js: Berlin has summer time in 2060', () => {
    expect(offsetMinutesAt('Europe/Berlin', Date.parse('2060-07-01T00:00:00Z'))).toBe(120);
    expect(offsetMinutesAt('Europe/Berlin', Date.parse('2060-01-01T00:00:00Z'))).toBe(60);
    expect(offsetMinutesAt('America/Vancouver', Date.parse('2060-01-01T00:00:00Z'))).toBe(-420);
  });

  it('know every name that Node.js lists, and every name of the data', () => {
    const names = [
      ...Intl.supportedValuesOf('timeZone'),
      ...installedZones.zones.map((zone) => zone.split('|')[0] ?? ''),
      ...installedZones.links.map((link) => link.split('|')[1] ?? ''),
    ];
    expect(names.filter((name) => !isKnownZone(name))).toEqual([]);
  });

  /** Every ten days, and the last and first instants of each offset between them. */
  const instantsOf = (name: string): number[] => {
    const instants: number[] = [];
    for (let at = day('2015-01-01'); at < day('2036-01-01'); at += 10 * dayMs) {
      instants.push(at);
      let [before, after] = [at, at + 10 * dayMs];
      if (offsetMinutesAt(name, before) === offsetMinutesAt(name, after)) continue;
      while (after - before > 1) {
        const middle = Math.floor((before + after) / 2);
        if (offsetMinutesAt(name, middle) === offsetMinutesAt(name, at)) before = middle;
        else after = middle;
      }
      instants.push(before, after);
    }
    return instants;
  };

  const zones = installedZones.zones.map((packed) => packed.split('|')[0] ?? '');
  /** When the rules in use and those of Node.js are first found to differ, by zone without links. */
  const differencesFromNode = (): Record<string, string> => {
    const found: Record<string, string> = {};
    for (const name of zones) {
      const node = intlZone(name.toLowerCase());
      const first = instantsOf(name).find((at) => node && node.offsetAt(at) !== offsetMinutesAt(name, at));
      if (first !== undefined) found[name] = new Date(first).toISOString();
    }
    return found;
  };

  /** What changed in the rules from one release to another, where Node.js has the older one. */
  const explained: Record<string, Record<string, string>> = {
    '2025c to 2026f': {
      // Moldova has changed its clocks with the European Union since 2022, an hour later than was known.
      'Europe/Chisinau': '2022-03-27T00:59:59.999Z',
      // Morocco stays on UTC.
      'Africa/Casablanca': '2026-09-20T01:00:00.000Z',
      'Africa/El_Aaiun': '2026-09-20T01:00:00.000Z',
      // These keep their summer time, Cuba over one winter alone.
      'America/Edmonton': '2026-11-09T00:00:00.000Z',
      'America/Havana': '2026-11-09T00:00:00.000Z',
      'America/Inuvik': '2026-11-09T00:00:00.000Z',
      'America/Vancouver': '2026-11-09T00:00:00.000Z',
      'America/Winnipeg': '2026-11-09T00:00:00.000Z',
    },
  };

  it('equal those of Node.js from 2015 to 2035, except for what changed after its release', () => {
    const differences = differencesFromNode();
    const releases = `${process.versions['tz'] ?? ''} to ${installedZones.version}`;
    // Between other releases a few zones may differ; a format that is misread shows in most.
    const others = Object.keys(differences).length < zones.length / 20 ? differences : {};
    const isSame = process.versions['tz'] === installedZones.version;
    expect(differences).toEqual(explained[releases] ?? (isSame ? {} : others));
  });
});

describe('rules as data', () => {
  const withZones = (zones: readonly string[], links: readonly string[] = []) =>
    createTimeZones({ version: '2099a', zones, links });

  it('know a zone that Node.js does not', () => {
    // UTC+5 until 2026-01-01T00:00Z (29,453,760 minutes), UTC+5:45 afterwards.
    const zones = withZones(['Mars/Olympus|A B|-50 -5J|01|2glA0|1'], ['Mars/Olympus|Mars/Caldera']);
    for (const name of ['Mars/Olympus', 'mars/olympus', 'MARS/CALDERA']) {
      expect(zones.isKnownZone(name)).toBe(true);
      expect(zones.offsetMinutesAt(name, day('2026-01-01') - 1)).toBe(300);
      expect(zones.offsetMinutesAt(name, day('2026-01-01'))).toBe(345);
    }
    expect(isKnownZone('Mars/Olympus')).toBe(false);
  });

  it('leave a name that they lack to Node.js', () => {
    const zones = withZones([]);
    expect(zones.isKnownZone('Asia/Kathmandu')).toBe(true);
    expect(zones.offsetMinutesAt('Asia/Kathmandu', day('2026-01-01'))).toBe(345);
    expect(zones.offsetMinutesAt('America/St_Johns', day('2026-01-01'))).toBe(-210);
    expect(zones.offsetMinutesAt('UTC', day('2026-01-01'))).toBe(0);
    expect(zones.isKnownZone('Mars/Olympus')).toBe(false);
  });

  it('win over Node.js', () => {
    const zones = withZones(['Europe/Berlin|X|-30|0||1']);
    expect(zones.offsetMinutesAt('Europe/Berlin', day('2026-01-01'))).toBe(180);
  });

  it.each(['A/B|X|-30|01||1', 'A/B|X|-30|02|1|1', 'A/B|X'])(
    'are refused where they cannot be read: %s',
    (packed) => {
      expect(() => withZones([packed]).isKnownZone('A/B')).toThrow('cannot be read');
    },
  );

  it('answer alike whatever was asked before', () => {
    const zones = withZones(installedZones.zones);
    const names = fc.constantFrom('Europe/Berlin', 'America/New_York');
    const changes = [Date.parse('2026-10-25T01:00:00Z'), Date.parse('2026-11-01T06:00:00Z')];
    const instant = fc
      .tuple(fc.constantFrom(...changes), fc.integer({ min: -200_000, max: 200_000 }))
      .map(([change, apart]) => change + apart);
    fc.assert(
      fc.property(fc.array(fc.tuple(names, instant), { maxLength: 20 }), (questions) => {
        for (const [name, at] of questions)
          expect(zones.offsetMinutesAt(name, at)).toBe(intlZone(name)?.offsetAt(at));
      }),
    );
  });
});

describe('the wall clock', () => {
  it('is what Intl says, at any instant in any zone', () => {
    const zones = fc.constantFrom(
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'Asia/Kathmandu',
      'Pacific/Apia',
      'Africa/Cairo',
      'America/St_Johns',
      'UTC',
    );
    const instants = fc.integer({ min: Date.parse('1990-01-01'), max: Date.parse('2037-12-31') });
    fc.assert(
      fc.property(zones, instants, (timeZone, instant) => {
        const parts = new Intl.DateTimeFormat('en-US', {
          timeZone,
          hourCycle: 'h23',
          year: 'numeric',
          month: '2-digit',
          day: '2-digit',
          hour: '2-digit',
        }).formatToParts(instant);
        const part = (type: string) => Number(parts.find((item) => item.type === type)?.value);
        const dayNumber = Date.UTC(part('year'), part('month') - 1, part('day')) / 86_400_000;
        expect(wallClockAt(timeZone, instant)).toEqual({ dayNumber, hour: part('hour') });
      }),
      { numRuns: 500 },
    );
  });

  it('refuses a zone that it does not know', () => {
    expect(() => wallClockAt('Mars/Olympus', 0)).toThrow(RangeError);
  });
});
