import type { Goal as GoalView } from '@pufftrack/contract';
import { dayOf, type DayNumber } from '../../puffs/index.ts';
import type { Goal } from './goal-history.ts';

/** The goal that was set last, as its owner sees it. Nobody has set one: it is to track, since the sign-up. */
export const viewGoal = (
  goal: Goal | undefined,
  { limitToday, signUpDay }: { limitToday: number | null; signUpDay: DayNumber },
): GoalView => ({
  mode: goal?.mode ?? 'track',
  dailyLimit: goal?.dailyLimit ?? null,
  plan: goal?.plan ? { ...goal.plan, startDay: dayOf(goal.plan.startDay) } : null,
  quitAt: goal?.quitAt == null ? null : new Date(goal.quitAt).toISOString(),
  limitToday,
  effectiveFrom: dayOf(goal?.effectiveDay ?? signUpDay),
});
