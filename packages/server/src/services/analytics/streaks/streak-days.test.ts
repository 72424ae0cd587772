import { describe, expect, it } from '@jest/globals';
import { historyOf } from '../../../../test/history-of-puffs.ts';
import { dayNumberOf } from '../../../domain/local-day.ts';
import { calendarOf } from '../goals/calendar.ts';
import { newRun } from './streaks.ts';
import { streakDaysOf } from './streak-days.ts';

const dayMs = 86_400_000;
const today = dayNumberOf('2026-11-25');
/** The first day after the settled past, which ends on 30 September. */
const firstOpenDay = dayNumberOf('2026-10-01');

const streakDays = (
  puffDays: readonly number[],
  checkIns: readonly number[] = [],
  loadedFrom = -Infinity,
) => {
  const calendar = calendarOf(
    0,
    {
      goals: [
        {
          mode: 'reduce',
          dailyLimit: 1,
          plan: null,
          baselineDays: null,
          quitAt: null,
          quitDay: null,
          setAt: 0,
          effectiveDay: firstOpenDay,
        },
      ],
      checkIns: new Set(checkIns),
      lateCheckIns: new Set(),
      skipped: new Set(),
    },
    today,
  );
  const history = historyOf(
    puffDays.map((day) => ({ timestamp: (day + 0.5) * dayMs, timeZone: 'UTC', quantity: 1 })),
  );
  return streakDaysOf({
    calendar,
    history: history.loadedFrom(loadedFrom),
    runs: { puffFree: newRun(), puffFreeHasBegun: false, underLimit: newRun() },
    firstDay: firstOpenDay - 10,
  });
};

describe('streakDaysOf', () => {
  it('lists the runs of both kinds after each day, from the last settled one', () => {
    const days = streakDays([firstOpenDay, firstOpenDay + 2, firstOpenDay + 2]);
    const runs = days
      .runsByDay(firstOpenDay + 3)
      .map(({ day, runs: { puffFree, underLimit } }) => [
        day - firstOpenDay,
        puffFree.current,
        underLimit.current,
      ]);
    expect(runs).toEqual([
      [-1, 0, 0],
      [0, 0, 1],
      [1, 1, 2],
      [2, 0, 0],
      [3, 1, 1],
    ]);
  });

  it('says what a day does to a run of each kind', () => {
    const days = streakDays([firstOpenDay + 2, firstOpenDay + 2], [firstOpenDay + 1]);
    const effects = (kind: 'puffFree' | 'underLimit') =>
      [0, 1, 2].map((index) => days.dayInRun(kind, firstOpenDay + index));
    expect(effects('puffFree')).toEqual(['unconfirmed', 'kept', 'puff']);
    expect(effects('underLimit')).toEqual(['unconfirmed', 'kept', 'over-limit']);
  });

  it('counts no puff before the first day of the account, and needs no history there', () => {
    const days = streakDays([], [], firstOpenDay - 10);
    expect(days.isLoadedFrom(firstOpenDay - 400)).toBe(true);
    expect(days.dayInRun('puffFree', firstOpenDay - 400)).toBe('unconfirmed');
    expect(streakDays([], [], firstOpenDay).isLoadedFrom(firstOpenDay - 5)).toBe(false);
  });

  it('reports the newest revision that changed the settled past', () => {
    expect(streakDays([firstOpenDay - 5, today]).pastChangedAtRev).toBe(1);
    expect(streakDays([firstOpenDay - 5, today]).rev).toBe(2);
  });
});
