import type { DayStatus, Streak } from '@pufftrack/contract';
import { type DayNumber, dayOf } from '../../../domain/local-day.ts';

type EndedReason = NonNullable<Streak['endedReason']>;

/** The current run at the end of a walk, and the best one so far. */
export interface Run {
  current: number;
  best: number;
  startedOn: DayNumber | null;
  unconfirmedDays: number;
  endedReason: EndedReason | null;
}

/** A run of no days. */
export const newRun = (): Run => ({
  current: 0,
  best: 0,
  startedOn: null,
  unconfirmedDays: 0,
  endedReason: null,
});

/**
 * The effect of one complete day on a run: `kept` and `unconfirmed` extend it, `neutral` leaves it unchanged, a reason ends
 * it, and `none` ends it without a reason.
 */
export type DayInRun = 'kept' | 'unconfirmed' | 'neutral' | 'none' | EndedReason;

/** A puff ends a puff-free run (domain.md D5). An unknown day extends it as unconfirmed (D4). */
export const puffFreeDay = (count: number, status: DayStatus): DayInRun =>
  count > 0 ? 'puff' : quietDay(status);

/** A count above the limit ends a run; a count equal to it does not. A day without a limit ends it without a reason. */
export const underLimitDay = (count: number, limit: number | null, status: DayStatus): DayInRun => {
  if (limit === null) return 'none';
  return count > limit ? 'over-limit' : quietDay(status);
};

const quietDay = (status: DayStatus): DayInRun => {
  if (status === 'confirmed') return 'kept';
  return status === 'unknown' ? 'unconfirmed' : 'neutral';
};

/** Extends or ends a run by one day. Mutates the run, because a walk covers years of days. */
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
 * The streak of a run up to yesterday. Today adds nothing; `broken` is the reason for which today has ended the run.
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

/** The days of a streak that friends see: confirmed days only (domain.md D4). */
export const confirmedDaysOf = ({ current, unconfirmedDays }: Streak): number => current - unconfirmedDays;
