import type { DayNumber } from '../../../domain/local-day.ts';
import type { PuffHistory } from '../../puffs/index.ts';
import { isFrozen, measuredBaseline } from '../goals/baseline.ts';
import type { Calendar } from '../goals/calendar.ts';
import { boardDayOf } from './board-day.ts';
import { countsOnBoards } from './board.ts';

/** 48 h after the end of a local day, in local days after it. */
const freezesAfterDays = 3;

export interface CountedDay {
  readonly day: DayNumber;
  /** Units. */
  readonly count: number;
}

/** The complete days from `first` on that count on boards, ascending. `history` is loaded from there. */
export const countedDays = (calendar: Calendar, history: PuffHistory, first: DayNumber): CountedDay[] => {
  const confirmed = new Set([...history.activeDays(calendar.dayStartHour), ...calendar.rules.checkIns]);
  return [...confirmed]
    .filter((day) => day >= first && day < calendar.today)
    .sort((a, b) => a - b)
    .map((day) => ({ day, ...boardDayOf(calendar, history, day) }))
    .filter(countsOnBoards);
};

/**
 * The baseline of `reduction`: the median of the first 7 days that count on boards, once the seventh has been over for
 * 48 h. Undefined before. `days` are all complete days that count, in order.
 * Example: seven days in a row from the 1st: frozen from the 10th on.
 */
export const baselineToFreeze = (days: readonly CountedDay[], today: DayNumber): number | undefined => {
  const measured = measuredBaseline(days.map(({ count }) => count));
  if (!measured || !isFrozen(measured.days)) return undefined;
  const last = days[measured.days - 1];
  return last && today >= last.day + freezesAfterDays ? measured.baseline : undefined;
};
