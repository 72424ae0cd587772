import type { DayStatus, Streak } from '@pufftrack/contract';
import { dayOf, type DayNumber } from '../../puffs/index.ts';

type EndedReason = NonNullable<Streak['endedReason']>;

/** The run that reaches the last day walked over, and the best so far. */
export interface Run {
  current: number;
  best: number;
  startedOn: DayNumber | null;
  unconfirmedDays: number;
  endedReason: EndedReason | null;
}

/** A run that has not begun. */
export const newRun = (): Run => ({
  current: 0,
  best: 0,
  startedOn: null,
  unconfirmedDays: 0,
  endedReason: null,
});

/**
 * What one complete day does to a run: `kept` and `unconfirmed` extend it, `neutral` leaves it, and a reason ends it;
 * `none` ends it without one.
 */
export type DayInRun = 'kept' | 'unconfirmed' | 'neutral' | 'none' | EndedReason;

/** Without a puff (domain.md D5). Silence extends a run and says so: it is no success, and no failure either (D4). */
export const puffFreeDay = (count: number, status: DayStatus): DayInRun =>
  count > 0 ? 'puff' : quietDay(status);

/** Within the limit: at it is within. On a day without a limit there is nothing to be under, and the run is over. */
export const underLimitDay = (count: number, limit: number | null, status: DayStatus): DayInRun => {
  if (limit === null) return 'none';
  return count > limit ? 'over-limit' : quietDay(status);
};

const quietDay = (status: DayStatus): DayInRun => {
  if (status === 'confirmed') return 'kept';
  return status === 'unknown' ? 'unconfirmed' : 'neutral';
};

/** Walks one day further, in place: a walk goes over years of days. */
export const extendRun = (run: Run, day: DayNumber, kind: DayInRun): void => {
  if (kind === 'neutral') return;
  if (kind === 'kept' || kind === 'unconfirmed') {
    run.current += 1;
    run.best = Math.max(run.best, run.current);
    run.startedOn ??= day;
    run.endedReason = null;
    if (kind === 'unconfirmed') run.unconfirmedDays += 1;
    return;
  }
  run.current = 0;
  run.startedOn = null;
  run.unconfirmedDays = 0;
  run.endedReason = kind === 'none' ? null : kind;
};

/**
 * The streak that a run up to yesterday makes. Today adds nothing; with `broken` it has ended the run already.
 * Example: puffs on day 10 and 14, today 17: current 2 since day 15, best 3.
 */
export const streakOf = (run: Run, broken: EndedReason | null): Streak =>
  broken
    ? {
        current: 0,
        best: run.best,
        startedOn: null,
        unconfirmedDays: 0,
        endedReason: broken,
        provisional: false,
      }
    : {
        current: run.current,
        best: run.best,
        startedOn: run.startedOn === null ? null : dayOf(run.startedOn),
        unconfirmedDays: run.unconfirmedDays,
        endedReason: run.endedReason,
        provisional: run.current > 0,
      };

/** What friends see of a streak: confirmed days only (domain.md D4). */
export const confirmedDaysOf = ({ current, unconfirmedDays }: Streak): number => current - unconfirmedDays;
