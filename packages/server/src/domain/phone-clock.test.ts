import { describe, expect, it } from '@jest/globals';
import type { ParsedPuffInput } from '@pufftrack/contract';
import fc from 'fast-check';
import { dayMs, minuteMs } from './durations.ts';
import { offsetMinutesAt, wallClockAt } from './time-zones.ts';
import { aggregateDays } from '../services/puffs/domain/day-aggregate.ts';
import { dayNumberOf, dayOf, localDayOf } from './local-day.ts';
import { statedOffset, wallReachMs } from './phone-clock.ts';
import { editedPuff, newPuff } from '../services/puffs/domain/puff.ts';
import { PuffState } from '../services/puffs/state/puff-state.ts';

const now = Date.parse('2036-01-01T00:00:00Z');

/** An instant as a phone writes it whose clock is this far ahead of UTC. */
const withOffset = (instantMs: number, minutes: number): string => {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const size = Math.abs(minutes);
  const local = new Date(instantMs + minutes * minuteMs).toISOString().slice(0, -1);
  return `${local}${minutes < 0 ? '-' : '+'}${two(size / 60)}:${two(size % 60)}`;
};

const puffOf = (input: ParsedPuffInput, timeZone = 'Europe/Berlin', at = now) =>
  newPuff(input, { timeZone, product: 'vape' }, at, 'session');

const shown = ({ wall }: { wall: { dayNumber: number; hour: number } }) =>
  `${dayOf(wall.dayNumber)} ${wall.hour}`;

describe("the offset that a timestamp states, and the zone's rule", () => {
  it.each([
    // Within 2 h of the rule the stated offset decides, for day and hour.
    ['2026-10-21T00:30:00+03:00', 'Europe/Berlin', '2026-10-21 0'],
    ['2026-10-21T00:30:00+04:00', 'Europe/Berlin', '2026-10-21 0'],
    ['2026-10-20T23:59:59.999+00:15', 'Europe/Berlin', '2026-10-20 23'],
    ['2026-10-21T00:30:00-04:30', 'America/New_York', '2026-10-21 0'],
    ['2026-10-21T00:30+06:45', 'Asia/Kathmandu', '2026-10-21 0'],
    ['2026-10-21T00:30:00+16:00', 'Pacific/Kiritimati', '2026-10-21 0'],
    ['2026-10-21T23:30:00-14:00', 'Etc/GMT+12', '2026-10-21 23'],
    ['2026-10-21T00:30:00+01:00', 'Europe/London', '2026-10-21 0'],
    // Further away it is a fixed offset of the client, and the zone decides.
    ['2026-10-21T00:30:00+04:01', 'Europe/Berlin', '2026-10-20 22'],
    ['2026-10-21T00:30:00-00:15', 'Europe/Berlin', '2026-10-21 2'],
    ['2026-10-21T00:30:00+09:00', 'Europe/Berlin', '2026-10-20 17'],
    ['2026-10-21T00:30:00-14:01', 'Etc/GMT+12', '2026-10-21 2'],
    ['2026-10-21T00:30:00+23:59', 'Pacific/Kiritimati', '2026-10-20 14'],
    // Z and a zero offset state nothing.
    ['2026-10-21T23:30:00Z', 'Europe/Berlin', '2026-10-22 1'],
    ['2026-10-21T23:30Z', 'Europe/Berlin', '2026-10-22 1'],
    ['2026-10-21T23:30:00+00:00', 'Europe/London', '2026-10-22 0'],
    ['2026-10-21T23:30:00-00:00', 'Europe/Berlin', '2026-10-22 1'],
  ])('%s in %s is %s', (timestamp, timeZone, expected) => {
    expect(shown(puffOf({ timestamp, timeZone }))).toBe(expected);
    expect(shown(puffOf({ timestamp }, timeZone))).toBe(expected);
    expect(shown(puffOf({ timestamp, timeZone: 'Mars/Olympus' }, timeZone))).toBe(expected);
  });

  const zone = fc.constantFrom(...Intl.supportedValuesOf('timeZone'));
  const instant = fc.integer({ min: Date.parse('2015-01-01'), max: Date.parse('2035-12-31') });
  const minutesApart = fc.oneof(
    fc.integer({ min: -120, max: 120 }),
    fc.constantFrom(-121, -120, -60, -30, 0, 30, 60, 120, 121),
    fc.integer({ min: -600, max: 600 }),
  );

  it('decide by the difference, in any zone at any instant', () => {
    fc.assert(
      fc.property(zone, instant, minutesApart, (timeZone, timestamp, apart) => {
        const stated = offsetMinutesAt(timeZone, timestamp) + apart;
        fc.pre(stated !== 0);
        const sent = withOffset(timestamp, stated);
        expect(statedOffset(sent)).toBe(stated);
        const puff = puffOf({ timestamp: sent, timeZone });
        expect(puff.timestamp).toBe(timestamp);
        expect(puff.wall).toEqual(
          Math.abs(apart) <= 120
            ? { dayNumber: dayNumberOf(sent.slice(0, 10)), hour: Number(sent.slice(11, 13)) }
            : wallClockAt(timeZone, timestamp),
        );
        const date = puff.wall.dayNumber * dayMs;
        expect(timestamp).toBeGreaterThanOrEqual(date - wallReachMs);
        expect(timestamp).toBeLessThan(date + dayMs + wallReachMs);
      }),
      { numRuns: 1_000 },
    );
  });

  it('keep the phone clock where an instant ahead of the server is clipped', () => {
    const at = Date.parse('2026-10-20T20:58:00Z');
    const puff = puffOf({ timestamp: '2026-10-21T00:01:00+03:00' }, 'Europe/Berlin', at);
    expect([puff.timestamp, shown(puff)]).toEqual([at, '2026-10-20 23']);
  });
});

describe('an edited timestamp', () => {
  const edit = (from: string, to: string) =>
    shown(editedPuff(puffOf({ timestamp: from }), { timestamp: to, quantity: 7 }, now));

  it.each([
    ['a stated offset decides', '2026-10-20T12:00:00Z', '2026-10-21T00:30:00+03:00', '2026-10-21 0'],
    ['a foreign one does not', '2026-10-20T12:00:00Z', '2026-10-21T00:30:00+09:00', '2026-10-20 17'],
    ['UTC is read in the zone', '2026-10-21T00:30:00+03:00', '2026-10-20T21:15:00Z', '2026-10-20 23'],
    [
      'the same instant in UTC keeps it',
      '2026-10-21T00:30:00+03:00',
      '2026-10-20T21:30:00.000Z',
      '2026-10-21 0',
    ],
    [
      'the same instant abroad keeps it',
      '2026-10-21T00:30:00+03:00',
      '2026-10-21T06:30:00+09:00',
      '2026-10-21 0',
    ],
    [
      'the same instant on another clock',
      '2026-10-20T21:30:00Z',
      '2026-10-21T00:30:00+03:00',
      '2026-10-21 0',
    ],
    ['and back', '2026-10-21T00:30:00+03:00', '2026-10-20T23:30:00+02:00', '2026-10-20 23'],
  ])('%s: %s, then %s, is %s', (_, from, to, expected) => {
    expect(edit(from, to)).toBe(expected);
  });

  it('of the same instant with another offset alone is a change, and none when repeated', () => {
    const puff = puffOf({ timestamp: '2026-10-20T21:30:00Z' });
    const body = { timestamp: '2026-10-21T00:30:00+03:00' };
    const once = editedPuff(puff, body, now);
    expect(once).not.toBe(puff);
    expect(editedPuff(once, body, now)).toBe(once);
    expect(editedPuff(once, { timestamp: '2026-10-20T21:30:00Z' }, now)).toBe(once);
    expect(shown(editedPuff(once, { quantity: 3 }, now))).toBe('2026-10-21 0');
  });
});

it('each puff counts once on one day, in whatever order they arrive, and a recount agrees', () => {
  const oneInput = fc.record({
    timeZone: fc.constantFrom('Europe/Berlin', 'America/Vancouver', 'Pacific/Kiritimati', 'Etc/GMT+12'),
    minutes: fc.integer({ min: 0, max: 4 * 24 * 60 }),
    apart: fc.option(fc.integer({ min: -150, max: 150 })),
    quantity: fc.integer({ min: 1, max: 50 }),
  });
  const start = Date.parse('2026-10-24T00:00:00Z');
  fc.assert(
    fc.property(
      fc.array(oneInput, { maxLength: 30 }),
      fc.infiniteStream(fc.nat()),
      fc.integer({ min: 0, max: 23 }),
      (inputs, shuffle, dayStartHour) => {
        const puffs = inputs.map(({ timeZone, minutes, apart, quantity }, index) => {
          const timestamp = start + minutes * minuteMs;
          const offset = offsetMinutesAt(timeZone, timestamp) + (apart ?? 0);
          const sent = apart === null ? new Date(timestamp).toISOString() : withOffset(timestamp, offset);
          return {
            ...puffOf({ timestamp: sent, timeZone, quantity }, timeZone, start + 4 * dayMs),
            id: String(index),
          };
        });
        const folded = (order: typeof puffs) => {
          const state = new PuffState();
          order.forEach((counted, index) => {
            state.fold({ rev: index + 1, kind: 'puff', counted, receivedAt: counted.receivedAt });
          });
          return state;
        };
        const state = folded(puffs);
        const days = state.activeDays(dayStartHour);
        expect(days.reduce((sum, day) => sum + state.countOn(day, dayStartHour), 0)).toBe(
          puffs.reduce((sum, { quantity }) => sum + quantity, 0),
        );
        for (const { wall } of puffs) expect(days).toContain(localDayOf(wall, dayStartHour));
        const keys = new Map(puffs.map(({ id }) => [id, shuffle.next().value ?? 0]));
        const shuffled = [...puffs].sort((a, b) => (keys.get(a.id) ?? 0) - (keys.get(b.id) ?? 0));
        expect(folded(shuffled).toJSON()).toEqual(state.toJSON());
        for (const [date, { hours }] of aggregateDays(
          puffs.map((puff) => ({ ...puff, cameLate: false })),
          [],
        ))
          expect(state.hoursOn(date, 0)).toEqual(hours);
      },
    ),
  );
});
