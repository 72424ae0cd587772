import { milestoneKinds, type MilestoneKind } from '@pufftrack/contract';
import type { DayNumber } from '../../../domain/local-day.ts';
import type { StreakDays, StreakKind } from '../../analytics/index.ts';

/**
 * The lengths that are milestones, in days (domain.md D12). No milestone counts puffs or log entries, so using more never
 * brings one closer (STORE-1).
 */
export const milestoneDays: Readonly<Record<MilestoneKind, readonly number[]>> = {
  abstinence: [1, 3, 7, 14, 30, 60, 90, 180, 365],
  'under-limit': [3, 7, 14, 30],
};

/** Increases when a rule changes its meaning; milestones awarded by an earlier version stay as they are. */
export const milestoneVersion = 1;

/** Runs that ended within this many days are evaluated too, to cover the time in which no worker ran. */
const lookBackDays = 7;

/** A number of consecutive days of one kind. */
export interface ReachedMilestone {
  readonly kind: MilestoneKind;
  readonly days: number;
  readonly from: DayNumber;
  readonly to: DayNumber;
  /** Whether each day is confirmed. Friends see only milestones of confirmed days (domain.md D4). */
  readonly isConfirmed: boolean;
}

export interface DayRun {
  readonly kind: MilestoneKind;
  readonly from: DayNumber;
  /** The last day that counted. */
  readonly to: DayNumber;
  readonly days: number;
}

/** Whether a milestone is awarded for this run. A run gets each milestone once, even if its ends move. */
export const isAwardedFor = (
  run: Omit<DayRun, 'days'>,
  days: number,
  awarded: readonly ReachedMilestone[],
): boolean =>
  awarded.some(
    (one) => one.kind === run.kind && one.days === days && one.to >= run.from && one.from <= run.to,
  );

const streakOf = { abstinence: 'puffFree', 'under-limit': 'underLimit' } as const satisfies Record<
  MilestoneKind,
  StreakKind
>;

/** The runs of both kinds that include the day `through` or ended in the week before it, oldest first. */
export const recentRuns = (streakDays: Pick<StreakDays, 'runsByDay'>, through: DayNumber): DayRun[] => {
  const ended: DayRun[] = [];
  const open = new Map<MilestoneKind, DayRun>();
  for (const { day, runs } of streakDays.runsByDay(through))
    for (const kind of milestoneKinds) {
      const { current, startedOn } = runs[streakOf[kind]];
      const known = open.get(kind);
      if (known && current < known.days) {
        open.delete(kind);
        ended.push(known);
      } else if (startedOn !== null && current !== known?.days)
        open.set(kind, { kind, from: startedOn, to: day, days: current });
    }
  return [...ended, ...open.values()].filter(({ to }) => to > through - lookBackDays);
};

/** The days from `from` to `to` that count for `kind`; undefined if one of them ends the run. */
const countedDays = (
  streakDays: Pick<StreakDays, 'dayInRun'>,
  { kind, from, to }: Pick<DayRun, 'kind' | 'from' | 'to'>,
): { day: DayNumber; isConfirmed: boolean }[] | undefined => {
  const counted: { day: DayNumber; isConfirmed: boolean }[] = [];
  for (let day = from; day <= to; day++) {
    const effect = streakDays.dayInRun(streakOf[kind], day);
    if (effect === 'neutral') continue;
    if (effect !== 'kept' && effect !== 'unconfirmed') return undefined;
    counted.push({ day, isConfirmed: effect === 'kept' });
  }
  return counted;
};

/** The milestones that a run has reached and that are not awarded for it yet, shortest first. */
export const reachedMilestones = (
  streakDays: Pick<StreakDays, 'dayInRun'>,
  run: DayRun,
  awarded: readonly ReachedMilestone[],
): ReachedMilestone[] => {
  const lengths = missingLengths(run, awarded);
  if (lengths.length === 0) return [];
  const counted = countedDays(streakDays, run) ?? [];
  return lengths.flatMap((days): ReachedMilestone[] => {
    const evidence = counted.slice(0, days);
    const last = evidence[days - 1];
    if (!last) return [];
    const isConfirmed = evidence.every((day) => day.isConfirmed);
    return [{ kind: run.kind, days, from: run.from, to: last.day, isConfirmed }];
  });
};

/** The lengths (days) that a run is long enough for and that are not awarded for it yet. */
export const missingLengths = (run: DayRun, awarded: readonly ReachedMilestone[]): number[] =>
  milestoneDays[run.kind].filter((days) => days <= run.days && !isAwardedFor(run, days, awarded));

/**
 * Whether the days of a milestone still support it, and whether each is confirmed now. Undefined if they do not: a late
 * puff or a changed setting broke the run. A goal that is set later revokes nothing.
 */
export const currentEvidence = (
  streakDays: Pick<StreakDays, 'dayInRun'>,
  milestone: Pick<ReachedMilestone, 'kind' | 'days' | 'from' | 'to'>,
): { isConfirmed: boolean } | undefined => {
  const counted = countedDays(streakDays, milestone);
  if (!counted || counted.length < milestone.days) return undefined;
  return { isConfirmed: counted.every(({ isConfirmed }) => isConfirmed) };
};
