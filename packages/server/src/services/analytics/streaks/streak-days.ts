import type { DayNumber } from '../../../domain/local-day.ts';
import type { PuffHistory } from '../../puffs/index.ts';
import type { Calendar } from '../goals/calendar.ts';
import { walkRuns, type Runs } from './settled-runs.ts';
import { puffFreeDay, underLimitDay, type DayInRun } from './streaks.ts';

export type StreakKind = 'puffFree' | 'underLimit';

/** The local days of one person as streaks count them, at one revision of the log. */
export interface StreakDays {
  readonly today: DayNumber;
  /** The revision of the log that is counted. */
  readonly rev: number;
  /** The first day after the settled past. Days from here on are always loaded. */
  readonly firstOpenDay: DayNumber;
  /** The newest revision that changed a day before `firstOpenDay`. */
  readonly pastChangedAtRev: number;
  /** Whether every day from this one on is loaded. */
  isLoadedFrom(day: DayNumber): boolean;
  /** What a complete day does to a run. Throws RangeError where the day is not loaded. */
  dayInRun(kind: StreakKind, day: DayNumber): DayInRun;
  /** The runs as they stand after each day, from the last settled day to `through`, in order. */
  runsByDay(through: DayNumber): { readonly day: DayNumber; readonly runs: Runs }[];
}

/** @param inputs `runs`: up to the last settled day. `firstDay`: no puff of the person lies before it. */
export const streakDaysOf = (inputs: {
  calendar: Calendar;
  history: PuffHistory;
  runs: Runs;
  firstDay: DayNumber;
}): StreakDays => {
  const { calendar, history, runs: settledRuns, firstDay } = inputs;
  const firstOpenDay = calendar.settledThrough + 1;
  const countOn = (day: DayNumber) => (day < firstDay ? 0 : history.countOn(day, calendar.dayStartHour));
  return {
    today: calendar.today,
    rev: history.rev,
    firstOpenDay,
    pastChangedAtRev: history.changedThrough(firstOpenDay),
    isLoadedFrom: (day) => history.isLoadedFrom(Math.max(day, firstDay)),
    dayInRun(kind, day) {
      const count = countOn(day);
      const status = calendar.statusOf(day, count);
      return kind === 'puffFree'
        ? puffFreeDay(count, status)
        : underLimitDay(count, calendar.limitOn(day), status);
    },
    runsByDay(through) {
      let runs = settledRuns;
      const days = [{ day: firstOpenDay - 1, runs }];
      for (let day = firstOpenDay; day <= through; day++) {
        runs = walkRuns(calendar, runs, { from: day, to: day, countOn });
        days.push({ day, runs });
      }
      return days;
    },
  };
};
