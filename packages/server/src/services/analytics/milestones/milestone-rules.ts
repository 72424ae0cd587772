import { milestoneKinds, type MilestoneKind } from '@pufftrack/contract';
import type { DayNumber } from '../../puffs/index.ts';
import type { Calendar } from '../goals/calendar.ts';
import { walkRuns, type CountOn, type Runs } from '../streaks/settled-runs.ts';
import { puffFreeDay, underLimitDay, type DayInRun } from '../streaks/streaks.ts';

/**
 * The lengths that are milestones, in days (domain.md D12). None is for a number of puffs or of entries, so nobody gets
 * nearer to one by using (STORE-1).
 */
export const milestoneDays: Readonly<Record<MilestoneKind, readonly number[]>> = {
  abstinence: [1, 3, 7, 14, 30, 60, 90, 180, 365],
  'under-limit': [3, 7, 14, 30],
};

/** Moves with the meaning of a rule; what was given by an older one stays as it was given. */
export const milestoneVersion = 1;

/** A run that ended this many days ago is still looked at, for the time that no worker ran. */
const lookBackDays = 7;

/** So many days of a kind in a row. */
export interface Reached {
  readonly kind: MilestoneKind;
  readonly days: number;
  readonly from: DayNumber;
  readonly to: DayNumber;
  /** Something is known of each of the days: silence counts for oneself, and not for what friends see (D4). */
  readonly isConfirmed: boolean;
}

export interface DayRun {
  readonly kind: MilestoneKind;
  readonly from: DayNumber;
  /** The last day that counted. */
  readonly to: DayNumber;
  readonly days: number;
}

/** Whether a milestone was given for this run: each is given once for a run, however its ends move. */
export const isGivenFor = (run: Omit<DayRun, 'days'>, days: number, given: readonly Reached[]): boolean =>
  given.some((one) => one.kind === run.kind && one.days === days && one.to >= run.from && one.from <= run.to);

const runOf = { abstinence: 'puffFree', 'under-limit': 'underLimit' } as const;

/**
 * The runs of both kinds that are under way on the day `through`, or ended in the week before it, oldest first.
 *
 * @param before the runs up to the day before `from`.
 */
export const recentRuns = (
  calendar: Calendar,
  before: Runs,
  { from, through, countOn }: { from: DayNumber; through: DayNumber; countOn: CountOn },
): DayRun[] => {
  const ended: DayRun[] = [];
  const open = new Map<MilestoneKind, DayRun>();
  let runs = before;
  const note = (day: DayNumber) => {
    for (const kind of milestoneKinds) {
      const { current, startedOn } = runs[runOf[kind]];
      const known = open.get(kind);
      if (known && current < known.days) {
        open.delete(kind);
        ended.push(known);
      } else if (startedOn !== null && current !== known?.days)
        open.set(kind, { kind, from: startedOn, to: day, days: current });
    }
  };
  note(from - 1);
  for (let day = from; day <= through; day++) {
    runs = walkRuns(calendar, runs, { from: day, to: day, countOn });
    note(day);
  }
  return [...ended, ...open.values()].filter(({ to }) => to > through - lookBackDays);
};

/** The counted days of `kind` among those given; undefined where one of them ends a run. */
const walk = (
  calendar: Calendar,
  kind: MilestoneKind,
  { from, to, countOn }: { from: DayNumber; to: DayNumber; countOn: CountOn },
): { day: DayNumber; isConfirmed: boolean }[] | undefined => {
  const counted: { day: DayNumber; isConfirmed: boolean }[] = [];
  for (let day = from; day <= to; day++) {
    const what = dayInRun(calendar, kind, day, countOn(day));
    if (what === 'neutral') continue;
    if (what !== 'kept' && what !== 'unconfirmed') return undefined;
    counted.push({ day, isConfirmed: what === 'kept' });
  }
  return counted;
};

const dayInRun = (calendar: Calendar, kind: MilestoneKind, day: DayNumber, count: number): DayInRun => {
  const status = calendar.statusOf(day, count);
  return kind === 'abstinence'
    ? puffFreeDay(count, status)
    : underLimitDay(count, calendar.limitOn(day), status);
};

/** What a run has reached that was not given for it yet, shortest first. `countOn` is asked for the days of the run. */
export const reachedIn = (
  calendar: Calendar,
  run: DayRun,
  { given, countOn }: { given: readonly Reached[]; countOn: CountOn },
): Reached[] => {
  const missing = missingIn(run, given);
  if (missing.length === 0) return [];
  const counted = walk(calendar, run.kind, { ...run, countOn }) ?? [];
  return missing.flatMap((days): Reached[] => {
    const evidence = counted.slice(0, days);
    const last = evidence[days - 1];
    if (!last) return [];
    const isConfirmed = evidence.every((day) => day.isConfirmed);
    return [{ kind: run.kind, days, from: run.from, to: last.day, isConfirmed }];
  });
};

export const missingIn = (run: DayRun, given: readonly Reached[]): number[] =>
  milestoneDays[run.kind].filter((days) => days <= run.days && !isGivenFor(run, days, given));

/**
 * Whether the days that a milestone was given for still say so, and whether something is known of each of them now;
 * undefined where they do not: a puff came late, or a setting of the past changed. A goal that is set later takes nothing.
 */
export const evidenceNow = (
  calendar: Calendar,
  { kind, days, from, to }: Reached,
  countOn: CountOn,
): { isConfirmed: boolean } | undefined => {
  const counted = walk(calendar, kind, { from, to, countOn });
  if (!counted || counted.length < days) return undefined;
  return { isConfirmed: counted.every(({ isConfirmed }) => isConfirmed) };
};
