import { describe, expect, it } from '@jest/globals';
import type { DayStatus } from '@pufftrack/contract';
import { dayOf } from '../../../domain/local-day.ts';
import {
  confirmedDaysOf,
  extendRun,
  newRun,
  puffFreeDay,
  streakOf,
  underLimitDay,
  type DayInRun,
} from './streaks.ts';

const noStreak = {
  current: 0,
  best: 0,
  startedOn: null,
  unconfirmedDays: 0,
  endedReason: null,
  provisional: false,
};
/** The run over days 1, 2, 3 and so on. */
const runOver = (kinds: readonly DayInRun[]) => {
  const run = newRun();
  kinds.forEach((kind, index) => {
    extendRun(run, index + 1, kind);
  });
  return run;
};

describe('streaks (domain.md D5)', () => {
  // Limit 10 since Monday; counts Mon 10, Tue 11, Wed 9, Thu nothing known, Fri 0 by check-in.
  const week: [count: number, status: DayStatus][] = [
    [10, 'confirmed'],
    [11, 'confirmed'],
    [9, 'confirmed'],
    [0, 'unknown'],
    [0, 'confirmed'],
  ];
  const underLimit = runOver(week.map(([count, status]) => underLimitDay(count, 10, status)));
  const puffFree = runOver(week.map(([count, status]) => puffFreeDay(count, status)));

  it('count the week of the definition', () => {
    expect(streakOf(underLimit, null)).toEqual({
      current: 3,
      best: 3,
      startedOn: dayOf(3),
      unconfirmedDays: 1,
      endedReason: null,
      provisional: true,
    });
    expect(streakOf(puffFree, null)).toMatchObject({ current: 2, unconfirmedDays: 1, startedOn: dayOf(4) });
    expect(confirmedDaysOf(streakOf(underLimit, null))).toBe(2);
  });

  it('are broken by today', () => {
    expect(streakOf(puffFree, 'puff')).toEqual({ ...noStreak, best: 2, endedReason: 'puff' });
    expect(streakOf(underLimit, 'over-limit')).toEqual({ ...noStreak, best: 3, endedReason: 'over-limit' });
  });

  it('have not begun without a day', () => {
    expect(streakOf(newRun(), null)).toEqual(noStreak);
  });

  it('pass over neutral days, also at their beginning', () => {
    expect(streakOf(runOver(['puff', 'neutral', 'kept', 'neutral', 'unconfirmed', 'neutral']), null)).toEqual(
      {
        current: 2,
        best: 2,
        startedOn: dayOf(3),
        unconfirmedDays: 1,
        endedReason: null,
        provisional: true,
      },
    );
  });

  it('say why they ended, until they begin again', () => {
    expect(streakOf(runOver(['kept', 'kept', 'over-limit', 'neutral']), null)).toEqual({
      ...noStreak,
      best: 2,
      endedReason: 'over-limit',
    });
    expect(streakOf(runOver(['over-limit', 'none']), null)).toEqual(noStreak);
  });

  it.each<[number, number | null, DayStatus, DayInRun]>([
    [10, 10, 'confirmed', 'kept'],
    [11, 10, 'confirmed', 'over-limit'],
    [0, 10, 'unknown', 'unconfirmed'],
    [0, 0, 'confirmed', 'kept'],
    [0, 10, 'skipped', 'neutral'],
    [0, 10, 'paused', 'neutral'],
    [0, null, 'confirmed', 'none'],
  ])('%i puffs with limit %p, %s: %s', (count, limit, status, kind) => {
    expect(underLimitDay(count, limit, status)).toBe(kind);
  });
});
