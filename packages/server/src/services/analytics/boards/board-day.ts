import type { DayNumber } from '../../../domain/local-day.ts';
import type { PuffHistory } from '../../puffs/index.ts';
import type { Calendar } from '../goals/calendar.ts';
import type { BoardDay } from './board.ts';

/** A complete local day as boards evaluate it. Throws RangeError where `history` has not loaded that day. */
export const boardDayOf = (calendar: Calendar, history: PuffHistory, day: DayNumber): BoardDay => {
  const { dayStartHour, rules } = calendar;
  const count = history.countOn(day, dayStartHour);
  const { lateRemoval, lateOnly } = history.marksOn(day, dayStartHour);
  return {
    count,
    limit: calendar.limitOn(day),
    isConfirmed: calendar.statusOf(day, count) === 'confirmed',
    hasLateRemovals: lateRemoval,
    isLateOnly: lateOnly,
    isCheckedInLate: rules.lateCheckIns.has(day),
  };
};
