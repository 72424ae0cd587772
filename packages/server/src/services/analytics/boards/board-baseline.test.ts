import { describe, expect, it } from '@jest/globals';
import { historyOf } from '../../../../test/history-of-puffs.ts';
import { dayMs, hourMs } from '../../../domain/durations.ts';
import { calendarOf } from '../goals/calendar.ts';
import { countedDays } from './board-baseline.ts';

const today = 20_000;
const puffOn = (day: number, hoursLate = 0) => ({
  timestamp: (day + 0.5) * dayMs,
  timeZone: 'UTC',
  quantity: 2,
  receivedAt: (day + 0.5) * dayMs + hoursLate * hourMs,
});

describe('countedDays', () => {
  it('lists the complete confirmed days that are not void, in order', () => {
    const calendar = calendarOf(
      0,
      {
        goals: [],
        checkIns: new Set([today - 2, today - 3]),
        lateCheckIns: new Set([today - 3]),
        skipped: new Set(),
      },
      today,
    );
    const history = historyOf([
      puffOn(today),
      puffOn(today - 1),
      puffOn(today - 4, 60),
      puffOn(today - 5),
      puffOn(today - 9),
    ]);
    expect(countedDays(calendar, history, today - 7).map(({ day, count }) => [day, count])).toEqual([
      [today - 5, 2],
      [today - 2, 0],
      [today - 1, 2],
    ]);
  });
});
