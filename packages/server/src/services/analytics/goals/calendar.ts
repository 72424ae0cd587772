import { createHash } from 'node:crypto';
import type { DayStatus } from '@pufftrack/contract';
import { type DayNumber, startOfMonth } from '../../../domain/local-day.ts';
import { isLateCheckIn, type CheckIn } from '../days/check-in.ts';
import { dayStatus } from '../days/day-status.ts';
import { pastDayOf, type CalendarSettings } from '../days/local-days.ts';
import { skippedDays } from '../days/skipped-days.ts';
import { goalInForce, goalSteps, limitOnDay, type Goal } from './goal-history.ts';

/** What the status and the limit of a user's days depend on, apart from puffs. */
export interface DayRules {
  /** In the order in which they were set. */
  readonly goals: readonly Goal[];
  readonly checkIns: ReadonlySet<DayNumber>;
  /** The subset of `checkIns` that is too late for boards (check-in.ts). */
  readonly lateCheckIns: ReadonlySet<DayNumber>;
  readonly skipped: ReadonlySet<DayNumber>;
}

/** @param skipped the result of `skippedDays` for these settings, where the caller has it already. */
export const dayRules = (
  settings: CalendarSettings,
  { goals, checkIns }: { goals: readonly Goal[]; checkIns: readonly CheckIn[] },
  skipped: ReadonlySet<DayNumber> = skippedDays(settings.timeZones, settings.dayStartHour),
): DayRules => ({
  goals,
  checkIns: new Set(checkIns.map(({ day }) => day)),
  lateCheckIns: new Set(
    checkIns.filter(({ day, at }) => isLateCheckIn(day, pastDayOf(settings, at))).map(({ day }) => day),
  ),
  skipped,
});

/** A user's days as of one local day: everything that the numbers depend on, apart from puffs and the time of day. */
export interface Calendar {
  readonly today: DayNumber;
  readonly dayStartHour: number;
  readonly rules: DayRules;
  /** The last settled day; see `settledThrough`. */
  readonly settledThrough: DayNumber;
  /** A hash of all rules that affect days up to `settledThrough`. */
  readonly settledKey: string;
  /** The past or planned quit of the goal in force, in ms; null without one. */
  readonly quitAt: number | null;
  /** The first day that counts as puff-free without an earlier puff; Infinity without a quit and a check-in. */
  readonly puffFreeFrom: DayNumber;
  /** The first day with a goal in force; Infinity without one. */
  readonly firstLimitDay: DayNumber;
  limitOn(day: DayNumber): number | null;
  statusOf(day: DayNumber, count: number): DayStatus;
}

const minOpenDays = 35;

/**
 * The last settled day: a month end 35 to 65 days before today. Later days are walked with every read. They include all
 * days of check-ins (30 days back at most), averages and the current month, and the days of most late puffs.
 * On 25 November: 30 September, because 35 days before is in October.
 */
export const settledThrough = (today: DayNumber): DayNumber => startOfMonth(today - minOpenDays) - 1;

export const calendarOf = (dayStartHour: number, rules: DayRules, today: DayNumber): Calendar => {
  const { goals, checkIns, skipped } = rules;
  const settled = settledThrough(today);
  const steps = goalSteps(goals);
  // Computed once a day: every puff needs the limits of the open days.
  const limits = Array.from({ length: today - settled }, (_, index) =>
    limitOnDay(steps, settled + 1 + index),
  );
  const goal = goalInForce(goals, today);
  // The day of a past quit may be in the future: today moves back on a flight west.
  const quitDay = goal && goal.quitDay !== null && goal.quitDay <= today ? goal.quitDay : null;
  let settledKey: string | undefined;
  let puffFreeFrom = quitDay ?? Infinity;
  for (const day of checkIns) puffFreeFrom = Math.min(puffFreeFrom, day);
  return {
    today,
    dayStartHour,
    rules,
    settledThrough: settled,
    firstLimitDay: steps[0]?.effectiveDay ?? Infinity,
    // Computed on demand and once per calendar: it serializes whole histories.
    get settledKey() {
      settledKey ??= settledKeyOf({ dayStartHour, steps, rules, through: settled, quitDay });
      return settledKey;
    },
    quitAt: goal?.quitAt ?? null,
    puffFreeFrom,
    limitOn: (day) => {
      const known = limits[day - settled - 1];
      return known === undefined ? limitOnDay(steps, day) : known;
    },
    statusOf: (day, count) =>
      dayStatus({ count, isCheckedIn: checkIns.has(day), isSkipped: skipped.has(day) }),
  };
};

const settledKeyOf = (inputs: {
  dayStartHour: number;
  steps: readonly Goal[];
  rules: DayRules;
  through: DayNumber;
  quitDay: DayNumber | null;
}): string => {
  const { dayStartHour, steps, rules, through, quitDay } = inputs;
  const isSettled = (day: DayNumber) => day <= through;
  const goals = steps
    .filter(({ effectiveDay }) => isSettled(effectiveDay))
    .map(({ effectiveDay, dailyLimit, plan, quitDay: from }) => [effectiveDay, dailyLimit, plan, from]);
  const [checkIns, skipped] = [rules.checkIns, rules.skipped].map((days) =>
    [...days].filter(isSettled).sort((a, b) => a - b),
  );
  const quit = quitDay !== null && isSettled(quitDay) ? quitDay : null;
  return createHash('sha256')
    .update(JSON.stringify([dayStartHour, goals, checkIns, skipped, quit]))
    .digest('base64url');
};
