import { describe, expect, it } from '@jest/globals';
import { quietUntil } from './quiet-hours.ts';

const night = { from: '22:00', to: '07:00' };
const until = (hours: typeof night | null, zone: string, now: string) =>
  new Date(quietUntil(hours, zone, Date.parse(now))).toISOString();

describe('quiet hours', () => {
  it.each([
    ['before them', night, 'Europe/Berlin', '2026-10-21T19:59:59.000Z', '2026-10-21T19:59:59.000Z'],
    [
      'from their first minute',
      night,
      'Europe/Berlin',
      '2026-10-21T20:00:00.000Z',
      '2026-10-22T05:00:00.000Z',
    ],
    ['after midnight', night, 'Europe/Berlin', '2026-10-22T00:30:30.000Z', '2026-10-22T05:00:00.000Z'],
    ['at their end', night, 'Europe/Berlin', '2026-10-22T05:00:00.000Z', '2026-10-22T05:00:00.000Z'],
    [
      'within a day',
      { from: '12:00', to: '14:00' },
      'UTC',
      '2026-10-21T13:00:00.000Z',
      '2026-10-21T14:00:00.000Z',
    ],
    // On UTC-7 since 2026, whatever the rules of Node.js say.
    ['by newer rules', night, 'America/Vancouver', '2026-11-25T07:30:00.000Z', '2026-11-25T14:00:00.000Z'],
    // The night of 25 October has 02:00 to 03:00 twice, so it is an hour longer.
    [
      'when the clock goes back',
      night,
      'Europe/Berlin',
      '2026-10-24T20:00:00.000Z',
      '2026-10-25T06:00:00.000Z',
    ],
    ['when it goes forward', night, 'Europe/Berlin', '2026-03-28T21:00:00.000Z', '2026-03-29T05:00:00.000Z'],
    // 02:30 does not come: at 01:00Z the wall shows 03:00.
    [
      'that end in an hour left out',
      { from: '23:00', to: '02:30' },
      'Europe/Berlin',
      '2026-03-28T23:00:00.000Z',
      '2026-03-29T01:00:00.000Z',
    ],
    [
      'in an hour that comes twice',
      { from: '02:00', to: '02:30' },
      'Europe/Berlin',
      '2026-10-25T01:10:00.000Z',
      '2026-10-25T01:30:00.000Z',
    ],
    [
      'in a zone of three quarters',
      night,
      'Asia/Kathmandu',
      '2026-10-21T17:00:00.000Z',
      '2026-10-22T01:15:00.000Z',
    ],
    ['none', null, 'UTC', '2026-10-21T23:00:00.000Z', '2026-10-21T23:00:00.000Z'],
  ])('%s', (_which, hours, zone, now, end) => {
    expect(until(hours, zone, now)).toBe(end);
  });
});
