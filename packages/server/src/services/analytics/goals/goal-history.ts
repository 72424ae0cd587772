import type { GoalMode } from '@pufftrack/contract';
import type { DayNumber } from '../../../domain/local-day.ts';
import { isFrozen, type MeasuredBaseline } from './baseline.ts';
import { taperLimit, type TaperPlan } from './taper.ts';

/** A user's goal from `effectiveDay` on. Goals are a history (domain.md D7): a later row never changes a past limit. */
export interface Goal {
  readonly mode: GoalMode;
  readonly dailyLimit: number | null;
  readonly plan: TaperPlan | null;
  /** The number of confirmed days in a measured baseline of the plan. */
  readonly baselineDays: number | null;
  /** ms; in mode `quit`. */
  readonly quitAt: number | null;
  /** The local day of `quitAt`, computed once. */
  readonly quitDay: DayNumber | null;
  /** ms */
  readonly setAt: number;
  readonly effectiveDay: DayNumber;
  /** Absent in rows of older releases and in the first row of a history. */
  readonly before?: EarlierGoals;
}

/** What the rows before a goal decide; kept for when they are removed or not read. */
export interface EarlierGoals {
  /** Whether a limit was in force on any day before the goal's `effectiveDay`. */
  readonly limited: boolean;
  /** The measured baseline that an earlier plan froze. */
  readonly baseline: MeasuredBaseline | null;
}

/** The goal in force on a day: the last set one of those in effect by then. `goals` in the order in which they were set. */
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

/** The limit that a goal gives to a day on which it is in force. */
export const limitOf = ({ dailyLimit, plan, quitDay }: LimitParts, day: DayNumber): number | null => {
  if (quitDay !== null && day >= quitDay) return 0;
  if (plan && day >= plan.startDay) return taperLimit(plan, day - plan.startDay);
  return dailyLimit;
};
export type LimitParts = Pick<Goal, 'dailyLimit' | 'plan' | 'quitDay'>;

/** The day on which a plan or a quit begins, the earlier one of both; Infinity without either. */
export const beginsOn = ({ plan, quitDay }: LimitParts): DayNumber =>
  Math.min(plan?.startDay ?? Infinity, quitDay ?? Infinity);

/** Whether a goal has no effect yet: it gives no limit until its plan or its quit begins. */
export const isPending = (goal: LimitParts, today: DayNumber): boolean =>
  goal.dailyLimit === null && beginsOn(goal) !== Infinity && beginsOn(goal) > today;

/** The most that a user's today can move back: 26 hours between the outermost zones, and 23 hours of `dayStartHour`. */
const todayMovesBackDays = 4;

/** The user's today is never before this day again. */
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

/** A goal with its position in the history, from 1. */
export type StoredGoal = Goal & { readonly number: number };

/** A change of a stored history: `rows` replace the rows from number `from` on. */
export interface HistoryChange {
  readonly from: number;
  readonly rows: readonly StoredGoal[];
}

/**
 * Appends `goals`, set on `today`, and removes the rows that decide nothing from then on. `earlier` is the tail of the
 * history that decides from `earliestToday` on; `fitsTail` says whether it is long enough.
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

/** Whether goals take effect within `earlier`, the tail of a history. A quit far in the past can take effect before it. */
export const fitsTail = (earlier: readonly StoredGoal[], goals: readonly Goal[]): boolean => {
  const [oldest] = earlier;
  return (
    oldest === undefined ||
    oldest.number === 1 ||
    goals.every((goal) => goal.effectiveDay > oldest.effectiveDay)
  );
};

/** The rows that are in force on some day, by ascending `effectiveDay`. Each is in force until the day before the next. */
export const goalSteps = <G extends Goal>(goals: readonly G[]): G[] => compactGoals(goals, Infinity);

/** `limitInForce` by binary search. `steps` is `goalSteps` of the history. */
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

/** Whether a limit was in force on any day before `day`. */
export const hadLimitBefore = (goals: readonly Goal[], day: DayNumber): boolean => {
  const steps = goalSteps(goals);
  return steps.some((goal, index) => {
    if (goal.effectiveDay > day) return false;
    // A goal that gives a limit gives one on every later day, so the last of its days decides.
    const last = Math.min(steps[index + 1]?.effectiveDay ?? Infinity, day) - 1;
    return goal.before?.limited === true || (last >= goal.effectiveDay && limitOf(goal, last) !== null);
  });
};

/** The baseline that an earlier plan froze. */
export const frozenBaseline = (goals: readonly Goal[]): MeasuredBaseline | undefined => {
  for (const { before, baselineDays, plan } of goals) {
    if (before?.baseline) return before.baseline;
    if (isFrozen(baselineDays) && plan && baselineDays !== null)
      return { baseline: plan.baseline, days: baselineDays };
  }
  return undefined;
};

/** The facts of the history before a goal that are stored with it. */
export const earlierGoals = (earlier: readonly Goal[], effectiveDay: DayNumber): EarlierGoals => ({
  limited: hadLimitBefore(earlier, effectiveDay),
  baseline: frozenBaseline(earlier) ?? null,
});
