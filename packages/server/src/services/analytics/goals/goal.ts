import type { GoalInput } from '@pufftrack/contract';
import { dayMs } from '../../../domain/durations.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { type DayNumber, dayNumberOf } from '../../../domain/local-day.ts';
import type { MeasuredBaseline } from './baseline.ts';
import {
  beginsOn,
  earlierGoals,
  frozenBaseline,
  goalInForce,
  hadLimitBefore,
  isPending,
  limitInForce,
  limitOf,
  type Goal,
  type LimitParts,
} from './goal-history.ts';
import type { TaperPlan } from './taper.ts';

const furthestPlanDays = 366;
const maxYearsBack = 10;

/**
 * The first limit ever and a lower limit take effect today; a higher limit or none takes effect tomorrow. A pending goal
 * leaves the goal before it in force (see `goalUntil`). A quit in the past takes effect on its day, but only where no limit
 * was ever in force: past limits never change.
 */
const effectiveDayOf = (earlier: readonly Goal[], goal: LimitParts, today: DayNumber): DayNumber => {
  const { quitDay } = goal;
  if (isPending(goal, today)) return beginsOn(goal);
  if (!hadLimitBefore(earlier, today + 1)) return quitDay === null ? today : Math.min(quitDay, today);
  const [before, after] = [limitInForce(earlier, today), limitOf(goal, today)];
  const loosens = before !== null && (after === null || after > before);
  return loosens ? today + 1 : today;
};

export interface GoalContext {
  readonly earlier: readonly Goal[];
  /** ms */
  readonly now: number;
  /** The user's local day of an instant (ms). */
  readonly dayAt: (instant: number) => DayNumber;
  /** Undefined where too few days are confirmed. */
  readonly measured: MeasuredBaseline | undefined;
}

/** A goal from the client's input. Throws `invalid` with the path of the field that is wrong. */
export const newGoal = (input: GoalInput, context: GoalContext): Goal => {
  const { earlier, now, dayAt } = context;
  const today = dayAt(now);
  const quitAt = quitAtOf(input, earlier.at(-1), now);
  const { plan, baselineDays } = planOf(input, context, today);
  const parts = {
    dailyLimit: input.dailyLimit ?? null,
    plan,
    quitDay: quitAt === null ? null : dayAt(quitAt),
  };
  return {
    mode: input.mode,
    ...parts,
    baselineDays,
    quitAt,
    setAt: now,
    effectiveDay: effectiveDayOf(earlier, parts, today),
  };
};

const trackingGoal = {
  mode: 'track',
  dailyLimit: null,
  plan: null,
  baselineDays: null,
  quitAt: null,
  quitDay: null,
} as const;

/**
 * The goal from tomorrow until a pending goal begins: the goal of today without a plan or quit that has not begun. Those
 * are cancelled, and would begin first otherwise. Undefined where there are none.
 * Example: a quit on the 31st is postponed to the 20th of the next month: today's limit stays in force until the 19th.
 */
const goalUntil = (goal: Goal, { earlier, now, dayAt }: GoalContext): Goal | undefined => {
  const today = dayAt(now);
  const isAhead = (day: DayNumber | null | undefined) => day != null && day > today;
  const isCancelled = (one: Goal) =>
    (isAhead(one.plan?.startDay) || isAhead(one.quitDay)) &&
    goalInForce(earlier, Math.max(one.effectiveDay, today + 1)) === one;
  if (!isPending(goal, today) || !earlier.some(isCancelled)) return undefined;
  const held = goalInForce(
    earlier.filter((one) => !isPending(one, today)),
    today + 1,
  );
  return {
    ...(held ?? trackingGoal),
    ...(isAhead(held?.plan?.startDay) && { plan: null, baselineDays: null }),
    ...(isAhead(held?.quitDay) && { mode: 'reduce', quitAt: null, quitDay: null }),
    setAt: now,
    effectiveDay: today + 1,
  };
};

/** The rows that a new goal appends to the history, in order; none where the goal is the same. Throws `invalid`. */
export const goalRows = (input: GoalInput, context: GoalContext): Goal[] => {
  const goal = newGoal(input, context);
  if (isSameGoal(goal, context.earlier.at(-1))) return [];
  const until = goalUntil(goal, context);
  const { earlier } = context;
  const withEarlier = (one: Goal, before: readonly Goal[]): Goal => ({
    ...one,
    before: earlierGoals(before, one.effectiveDay),
  });
  return until
    ? [withEarlier(until, earlier), withEarlier(goal, [...earlier, until])]
    : [withEarlier(goal, earlier)];
};

/** Whether the user sets the goal that is set already. */
export const isSameGoal = (goal: Goal, last: Goal | undefined): boolean =>
  last !== undefined && contentOf(goal) === contentOf(last);

const contentOf = ({ mode, dailyLimit, plan, quitAt }: Goal): string =>
  JSON.stringify([mode, dailyLimit, quitAt, plan && Object.entries(plan).sort()]);

const quitAtOf = ({ mode, quitAt }: GoalInput, last: Goal | undefined, now: number): number | null => {
  if (mode !== 'quit') {
    if (quitAt) throw invalid('quitAt', 'is allowed in mode quit only');
    return null;
  }
  if (!quitAt) return (quitAt === undefined ? last?.quitAt : null) ?? now;
  const instant = Date.parse(quitAt);
  const earliest = new Date(now).setUTCFullYear(new Date(now).getUTCFullYear() - maxYearsBack);
  if (instant < earliest) throw invalid('quitAt', `must be at most ${maxYearsBack} years back`);
  if (instant > now + furthestPlanDays * dayMs) throw invalid('quitAt', 'must be at most a year ahead');
  return instant;
};

const planOf = (
  { mode, plan }: GoalInput,
  { earlier, measured }: GoalContext,
  today: DayNumber,
): { plan: TaperPlan | null; baselineDays: number | null } => {
  if (!plan) return { plan: null, baselineDays: null };
  if (mode === 'track') throw invalid('plan', 'is allowed in mode reduce or quit only');
  const startDay = dayNumberOf(plan.startDay);
  if (Math.abs(startDay - today) > furthestPlanDays)
    throw invalid('plan.startDay', 'must be at most a year from today');
  const found = plan.baselineSource === 'measured' ? (frozenBaseline(earlier) ?? measured) : undefined;
  const baseline = plan.baselineSource === 'measured' ? found?.baseline : plan.baseline;
  if (baseline === undefined)
    throw plan.baselineSource === 'measured'
      ? invalid('plan.baselineSource', 'cannot be measured yet: at least 5 confirmed days are required')
      : invalid('plan.baseline', 'is required with baselineSource declared');
  if (baseline <= 0) throw invalid('plan.baselineSource', 'was measured as 0, so there is nothing to taper');
  if (plan.target > baseline) throw invalid('plan.target', `must be at most the baseline of ${baseline}`);
  return { plan: { ...plan, baseline, startDay }, baselineDays: found?.days ?? null };
};

const invalid = (path: string, message: string): DomainError =>
  new DomainError('invalid', { detail: 'The goal is inconsistent.', errors: [{ path, message }] });
