import type { GoalMode } from '@pufftrack/contract';
import type { DayNumber } from '../../puffs/index.ts';
import { isFrozen, type MeasuredBaseline } from './baseline.ts';
import { taperLimit, type TaperPlan } from './taper.ts';

/**
 * What a person aims at from `effectiveDay` on. Goals are a history (domain.md D7):
 * a later row never changes the limit of a day that is over.
 */
export interface Goal {
  readonly mode: GoalMode;
  readonly dailyLimit: number | null;
  readonly plan: TaperPlan | null;
  /** Confirmed days behind a measured baseline of the plan. */
  readonly baselineDays: number | null;
  /** ms; in mode `quit`. */
  readonly quitAt: number | null;
  /** The local day of `quitAt`, taken once. */
  readonly quitDay: DayNumber | null;
  /** ms */
  readonly setAt: number;
  readonly effectiveDay: DayNumber;
  /** Absent in rows of older releases and at the beginning of a history. */
  readonly before?: EarlierGoals;
}

/** What the rows before a goal still decide after they were removed, or where they are not read. */
export interface EarlierGoals {
  /** Whether a limit held on any day before the goal's `effectiveDay`. */
  readonly limited: boolean;
  /** The measured baseline that an earlier plan froze. */
  readonly baseline: MeasuredBaseline | null;
}

/** The goal that holds on a day: the one set last among those in effect by then. `goals` in the order of setting. */
export const goalInForce = (goals: readonly Goal[], day: DayNumber): Goal | undefined =>
  goals.findLast(({ effectiveDay }) => effectiveDay <= day);

/**
 * The limit of a local day, null without one; a pure function of the history, so a later goal never changes the past.
 * Example: 10 since Monday, 12 set on Tuesday: 10 on Tuesday, 12 on Wednesday.
 */
export const limitInForce = (goals: readonly Goal[], day: DayNumber): number | null => {
  const goal = goalInForce(goals, day);
  return goal ? limitOf(goal, day) : null;
};

/** What a goal says of a day that it holds on. */
export const limitOf = ({ dailyLimit, plan, quitDay }: LimitParts, day: DayNumber): number | null => {
  if (quitDay !== null && day >= quitDay) return 0;
  if (plan && day >= plan.startDay) return taperLimit(plan, day - plan.startDay);
  return dailyLimit;
};
export type LimitParts = Pick<Goal, 'dailyLimit' | 'plan' | 'quitDay'>;

/** The day on which a plan or a quit begins, the earlier of the two; Infinity without either. */
export const beginsOn = ({ plan, quitDay }: LimitParts): DayNumber =>
  Math.min(plan?.startDay ?? Infinity, quitDay ?? Infinity);

/** Whether a goal says nothing yet, because it has no limit until its plan or its quit begins. */
export const isPending = (goal: LimitParts, today: DayNumber): boolean =>
  goal.dailyLimit === null && beginsOn(goal) !== Infinity && beginsOn(goal) > today;

/**
 * A person's today never moves back by more than this many days: 26 hours from the first zone to the last, and 23 hours
 * of `dayStartHour`.
 */
const todayMovesBackDays = 4;

/** No later today of the person is before this day. */
export const earliestToday = (today: DayNumber): DayNumber => today - todayMovesBackDays;

/**
 * The history without the rows that decide nothing: a row whose every day belongs to a row that was set later. A pending
 * goal can still be given up, so until it has begun on `earliest`, before which the user's today never is, it supersedes
 * only goals that are pending as long as it is. Every answer stays the same (docs/adr/0021-bounded-histories.md).
 */
export const compactGoals = <G extends Goal>(goals: readonly G[], earliest: DayNumber): G[] => {
  const kept: G[] = [];
  let supersededFrom = Infinity;
  const pending: G[] = [];
  for (const goal of goals.toReversed()) {
    if (goal.effectiveDay >= supersededFrom) continue;
    if (isPending(goal, earliest)) {
      if (pending.some((later) => isSupersededWhilePending(goal, later))) continue;
      pending.push(goal);
    } else supersededFrom = goal.effectiveDay;
    kept.push(goal);
  }
  return kept.reverse();
};

const isSupersededWhilePending = (goal: Goal, later: Goal): boolean =>
  later.effectiveDay <= goal.effectiveDay && beginsOn(later) <= beginsOn(goal);

/** A goal with its place in the person's history, from 1. */
export type StoredGoal = Goal & { readonly number: number };

/** What becomes of a stored history: the rows from number `from` on are replaced by `rows`. */
export interface HistoryChange {
  readonly from: number;
  readonly rows: readonly StoredGoal[];
}

/**
 * Adds `goals`, set on `today`, to a history, and leaves out what decides nothing from then on. `earlier` is the end of
 * the history, which decides from `earliestToday` on; see `reachesBack` for a quit of long ago.
 */
export const addToHistory = (
  earlier: readonly StoredGoal[],
  goals: readonly Goal[],
  today: DayNumber,
): HistoryChange => {
  const first = earlier[0]?.number ?? 1;
  const rows = compactGoals<Goal>([...earlier, ...goals], earliestToday(today)).map((goal, index) => ({
    goal,
    stored: { ...goal, number: first + index },
  }));
  const kept = rows.findIndex(({ goal }, index) => goal !== earlier[index]);
  return { from: first + kept, rows: rows.slice(kept).map(({ stored }) => stored) };
};

/** Whether goals take effect within `earlier`, the end of a history; a quit of long ago may take effect before it. */
export const reachesBack = (earlier: readonly StoredGoal[], goals: readonly Goal[]): boolean => {
  const [oldest] = earlier;
  return (
    oldest === undefined ||
    oldest.number === 1 ||
    goals.every((goal) => goal.effectiveDay > oldest.effectiveDay)
  );
};

/** The rows that are in force on some day, by ascending `effectiveDay`; each holds until the day before the next. */
export const goalSteps = <G extends Goal>(goals: readonly G[]): G[] => compactGoals(goals, Infinity);

/** `limitInForce` for many days of one history: `steps` is `goalSteps` of it. */
export const limitOnDay = (steps: readonly Goal[], day: DayNumber): number | null => {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((steps[middle]?.effectiveDay ?? Infinity) <= day) low = middle + 1;
    else high = middle;
  }
  const goal = steps[low - 1];
  return goal ? limitOf(goal, day) : null;
};

/** Whether a limit held on any day before `day`. */
export const hadLimitBefore = (goals: readonly Goal[], day: DayNumber): boolean => {
  const steps = goalSteps(goals);
  return steps.some((goal, index) => {
    if (goal.effectiveDay > day) return false;
    // A goal that has a limit keeps having one, so the last of its days says it.
    const last = Math.min(steps[index + 1]?.effectiveDay ?? Infinity, day) - 1;
    return goal.before?.limited === true || (last >= goal.effectiveDay && limitOf(goal, last) !== null);
  });
};

/** The baseline that was frozen by an earlier plan. */
export const frozenBaseline = (goals: readonly Goal[]): MeasuredBaseline | undefined => {
  for (const { before, baselineDays, plan } of goals) {
    if (before?.baseline) return before.baseline;
    if (isFrozen(baselineDays) && plan && baselineDays !== null)
      return { baseline: plan.baseline, days: baselineDays };
  }
  return undefined;
};

/** What has to be kept with a goal of the history that comes before it. */
export const earlierGoals = (earlier: readonly Goal[], effectiveDay: DayNumber): EarlierGoals => ({
  limited: hadLimitBefore(earlier, effectiveDay),
  baseline: frozenBaseline(earlier) ?? null,
});
