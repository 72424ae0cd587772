import type { DayNumber, PuffHistory } from '../../puffs/index.ts';
import { countsOnBoards, type BoardDay } from './board.ts';
import type { CountedDay } from './board-baseline.ts';
import type { Calendar } from '../goals/calendar.ts';

/** A complete local day of a person as boards see it. Throws RangeError where `history` has not loaded that day. */
export const boardDayOf = (calendar: Calendar, history: PuffHistory, day: DayNumber): BoardDay => {
  const { dayStartHour, rules } = calendar;
  const count = history.countOn(day, dayStartHour);
  const { lateRemoval, lateOnly } = history.marksOn(day, dayStartHour);
  return {
    count,
    limit: calendar.limitOn(day),
    isConfirmed: calendar.statusOf(day, count) === 'confirmed',
    isTrimmed: lateRemoval,
    isLateOnly: lateOnly,
    isCheckedInLate: rules.lateCheckIns.has(day),
  };
};

/** The complete days from `first` on that boards count, ascending; `history` is loaded from there. */
export const countedDays = (calendar: Calendar, history: PuffHistory, first: DayNumber): CountedDay[] => {
  const said = new Set([...history.activeDays(calendar.dayStartHour), ...calendar.rules.checkIns]);
  return [...said]
    .filter((day) => day >= first && day < calendar.today)
    .sort((a, b) => a - b)
    .map((day) => ({ day, ...boardDayOf(calendar, history, day) }))
    .filter(countsOnBoards);
};
