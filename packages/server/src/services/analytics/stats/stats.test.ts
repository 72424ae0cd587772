import { describe, expect, it } from '@jest/globals';
import { calendarOf } from '../goals/calendar.ts';
import type { Goal } from '../goals/goal-history.ts';
import { abstinenceSeconds } from './stats.ts';

const second = 1_000;

describe('time since the last puff or the quit (domain.md D5)', () => {
  it.each<[number | null, number | null, number | null]>([
    [null, null, null],
    [40, null, 60],
    [40.9, null, 59],
    [40, 70, 30],
    [70, 40, 30],
    [null, 40, 60],
    [null, 101, null],
    [40, 101, 60],
  ])('with a puff at %p and a quit at %p, at 100 it is %p', (puff, quit, seconds) => {
    const ms = (at: number | null) => (at === null ? null : at * second);
    expect(abstinenceSeconds(ms(puff), ms(quit), 100 * second)).toBe(seconds);
  });

  it('counts from the instant of a quit also where a flight west has moved today before its day', () => {
    const today = 20_000;
    const goal: Goal = {
      mode: 'quit',
      dailyLimit: 0,
      plan: null,
      baselineDays: null,
      quitAt: 7 * second,
      quitDay: today + 1,
      setAt: 0,
      effectiveDay: today,
    };
    const calendar = calendarOf(
      0,
      { goals: [goal], checkIns: new Set(), lateCheckIns: new Set(), skipped: new Set() },
      today,
    );
    expect(calendar).toMatchObject({ quitAt: 7 * second, puffFreeFrom: Infinity });
  });
});
