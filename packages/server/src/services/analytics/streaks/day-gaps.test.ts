import { describe, expect, it } from '@jest/globals';
import { historyOf } from '../../../../test/history-of-puffs.ts';
import { dayNumberOf } from '../../../domain/local-day.ts';
import { dayGapsOf, dayGapSeconds } from './day-gaps.ts';

const minute = 60_000;
const gapsOf = (
  instants: readonly (readonly [instant: string, timeZone?: string])[],
  day: string,
  dayStartHour: number,
) => {
  const puffs = instants.map(([instant, timeZone = 'Europe/Berlin']) => ({
    timestamp: Date.parse(instant),
    timeZone,
    quantity: 1,
  }));
  const gaps = dayGapsOf(historyOf(puffs), dayNumberOf(day), dayStartHour);
  if (!gaps) return undefined;
  return gaps.stretch
    ? gaps.stretch.longestMs / minute
    : [new Date(gaps.from).toISOString(), new Date(gaps.to).toISOString()];
};

describe('the gaps of a local day', () => {
  const night = ['2026-10-20T23:30:00Z'] as const; // 01:30 of the 21st
  const morning = ['2026-10-21T06:00:00Z'] as const;
  const noon = ['2026-10-21T10:00:00Z'] as const;
  const after = ['2026-10-21T23:00:00Z'] as const; // 01:00 of the 22nd

  it.each([
    ['without a puff', [night], '2026-10-22', 0, undefined],
    ['that begins at midnight', [night, morning, noon], '2026-10-21', 0, 390],
    ['that begins at 4, without a puff before', [morning, noon, after], '2026-10-21', 4, 780],
    [
      'that begins at 4, with a puff before',
      [night, morning, noon, after],
      '2026-10-21',
      4,
      [night[0], after[0]].map((instant) => new Date(instant).toISOString()),
    ],
    [
      'of 25 hours, on which 02:30 comes twice',
      [['2026-10-25T00:30:00Z'], ['2026-10-25T01:30:00Z'], ['2026-10-25T21:00:00Z']] as const,
      '2026-10-25',
      0,
      1_170,
    ],
    [
      'that comes again after a flight over the date line',
      [
        ['2026-11-02T06:00:00Z', 'Pacific/Auckland'],
        ['2026-11-02T20:00:00Z', 'America/Los_Angeles'],
      ] as const,
      '2026-11-02',
      0,
      840,
    ],
    [
      'into which the date before reaches',
      [
        ['2026-11-02T06:00:00Z', 'Pacific/Auckland'],
        ['2026-11-02T06:30:00Z', 'America/Los_Angeles'],
      ] as const,
      '2026-11-02',
      0,
      30,
    ],
    [
      'that began before the date before it had ended',
      [
        ['2026-11-02T05:00:00Z', 'America/Los_Angeles'],
        ['2026-11-02T06:00:00Z', 'Pacific/Auckland'],
        ['2026-11-02T06:30:00Z', 'America/Los_Angeles'],
      ] as const,
      '2026-11-02',
      0,
      ['2026-11-02T06:00:00.000Z', '2026-11-02T06:30:00.000Z'],
    ],
  ])('%s', (_what, instants, day, dayStartHour, expected) => {
    expect(gapsOf(instants, day, dayStartHour)).toEqual(expected);
  });

  it('are measured against the one that runs, in whole seconds', () => {
    expect(dayGapSeconds(5_000, 1_000, 4_999)).toBe(5);
    expect(dayGapSeconds(5_000, 1_000, 9_999)).toBe(8);
    expect(dayGapSeconds(0, 1_000, 500)).toBe(0);
  });
});
