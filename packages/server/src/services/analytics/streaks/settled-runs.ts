import type { DayNumber } from '../../../domain/local-day.ts';
import type { DateSpan, PuffHistory } from '../../puffs/index.ts';
import type { Calendar } from '../goals/calendar.ts';
import { settledGapsOf, type SettledGaps } from './gaps.ts';
import { extendRun, newRun, puffFreeDay, underLimitDay, type Run } from './streaks.ts';

/** Both day streaks of a person up to and including some day. */
export interface Runs {
  readonly puffFree: Run;
  /** Whether puff-free days count: there was a puff, a check-in or the day of the quit. */
  puffFreeHasBegun: boolean;
  readonly underLimit: Run;
}

/** The runs up to the settled day, and the versions of their inputs. */
export interface SettledRuns {
  readonly through: DayNumber;
  /** The revision of the log that is counted. */
  readonly rev: number;
  /** The hash of the settings, goals, check-ins and zones that affect days up to `through`. */
  readonly key: string;
  readonly runs: Runs;
  readonly gaps: SettledGaps;
}

/** The count of a local day. */
export type CountOn = (day: DayNumber) => number;

const newRuns = (): Runs => ({ puffFree: newRun(), puffFreeHasBegun: false, underLimit: newRun() });

const copyOf = (runs: Runs): Runs => ({
  puffFree: { ...runs.puffFree },
  puffFreeHasBegun: runs.puffFreeHasBegun,
  underLimit: { ...runs.underLimit },
});

/** Extends `before` by the days `from`..`to`. `before` is not changed. */
export const walkRuns = (
  calendar: Calendar,
  before: Runs,
  { from, to, countOn }: { from: DayNumber; to: DayNumber; countOn: CountOn },
): Runs => {
  const runs = copyOf(before);
  for (let day = from; day <= to; day++) {
    const count = countOn(day);
    const status = calendar.statusOf(day, count);
    runs.puffFreeHasBegun ||= count > 0 || day >= calendar.puffFreeFrom;
    if (runs.puffFreeHasBegun) extendRun(runs.puffFree, day, puffFreeDay(count, status));
    extendRun(runs.underLimit, day, underLimitDay(count, calendar.limitOn(day), status));
  }
  return runs;
};

/**
 * Walks the whole past up to the settled day.
 *
 * @param past `firstActiveDay`: the first local day with a puff; undefined without any. `spans`: of all wall dates.
 */
export const computeSettled = (
  calendar: Calendar,
  past: {
    rev: number;
    firstActiveDay: DayNumber | undefined;
    countOn: CountOn;
    spans: readonly DateSpan[];
  },
): SettledRuns => {
  const through = calendar.settledThrough;
  const from = Math.min(past.firstActiveDay ?? Infinity, calendar.puffFreeFrom, calendar.firstLimitDay);
  return {
    through,
    rev: past.rev,
    key: calendar.settledKey,
    runs: walkRuns(calendar, newRuns(), { from, to: through, countOn: past.countOn }),
    gaps: settledGapsOf(past.spans, through),
  };
};

/**
 * Whether settled runs equal a new walk: no puff and no rule up to their day has changed. The check of the history includes
 * one more day, because a local day ends on the next wall date.
 */
export const isSettledValid = (settled: SettledRuns, calendar: Calendar, history: PuffHistory): boolean =>
  settled.through === calendar.settledThrough &&
  history.changedThrough(settled.through + 1) <= settled.rev &&
  settled.key === calendar.settledKey;
