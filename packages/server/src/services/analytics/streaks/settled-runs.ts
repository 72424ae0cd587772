import type { DateSpan, DayNumber, PuffHistory } from '../../puffs/index.ts';
import type { Calendar } from '../goals/calendar.ts';
import { settledGapsOf, type SettledGaps } from './gaps.ts';
import { extendRun, newRun, puffFreeDay, underLimitDay, type Run } from './streaks.ts';

/** Both day streaks of a person, walked up to and with some day. */
export interface Runs {
  readonly puffFree: Run;
  /** Whether puff-free days count yet: there was a puff, a check-in, or the day on which they quit. */
  puffFreeHasBegun: boolean;
  readonly underLimit: Run;
}

/** The runs up to the settled day, and what they were computed from. */
export interface SettledRuns {
  readonly through: DayNumber;
  /** Every puff up to this number of the log is in it. */
  readonly rev: number;
  /** Of the settings, goals, check-ins and zones that decide about days up to `through`. */
  readonly key: string;
  readonly runs: Runs;
  readonly gaps: SettledGaps;
}

/** Counts by local day, as the walk asks for them. */
export type CountOn = (day: DayNumber) => number;

const newRuns = (): Runs => ({ puffFree: newRun(), puffFreeHasBegun: false, underLimit: newRun() });

const copyOf = (runs: Runs): Runs => ({
  puffFree: { ...runs.puffFree },
  puffFreeHasBegun: runs.puffFreeHasBegun,
  underLimit: { ...runs.underLimit },
});

/** The runs `from`..`to` days further; `before` is left as it is. */
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
export const settle = (
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
 * Whether settled runs still say what a walk would: nothing up to their day was added, changed or taken away, neither
 * puffs nor rules. One day more is asked of the history, because a local day ends on the wall date after it.
 */
export const isSettledValid = (settled: SettledRuns, calendar: Calendar, history: PuffHistory): boolean =>
  settled.through === calendar.settledThrough &&
  history.changedThrough(settled.through + 1) <= settled.rev &&
  settled.key === calendar.settledKey;
