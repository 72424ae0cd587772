import { createHash } from 'node:crypto';
import type { DayStatus } from '@pufftrack/contract';
import { localDayAt, type DayNumber } from '../../puffs/index.ts';
import { isLateCheckIn, type CheckIn } from '../days/check-in.ts';
import { dayStatus } from '../days/day-status.ts';
import { goalInForce, goalSteps, limitOnDay, type Goal } from './goal-history.ts';
import { settledThrough } from '../days/settled-day.ts';
import { skippedDays, type ZonePeriod } from '../days/skipped-days.ts';

/** What a person's days are judged by, puffs apart. */
export interface DayRules {
  /** In the order of setting. */
  readonly goals: readonly Goal[];
  readonly checkIns: ReadonlySet<DayNumber>;
  /** Those of `checkIns` that came too late for boards; see check-in.ts. */
  readonly lateCheckIns: ReadonlySet<DayNumber>;
  readonly skipped: ReadonlySet<DayNumber>;
}

export interface CalendarSettings {
  readonly timeZone: string;
  readonly timeZones: readonly ZonePeriod[];
  readonly dayStartHour: number;
}

/** `skipped`: the days that `skippedDays` finds in these settings, where the caller has them already. */
export const dayRules = (
  settings: CalendarSettings,
  { goals, checkIns }: { goals: readonly Goal[]; checkIns: readonly CheckIn[] },
  skipped: ReadonlySet<DayNumber> = skippedDays(settings.timeZones, settings.dayStartHour),
): DayRules => ({
  goals,
  checkIns: new Set(checkIns.map(({ day }) => day)),
  lateCheckIns: new Set(
    checkIns.filter(({ day, at }) => isLateCheckIn(day, dayThen(settings, at))).map(({ day }) => day),
  ),
  skipped,
});

/** A person's days as they stand on one of them: everything that numbers depend on but the puffs and the time of day. */
export interface Calendar {
  readonly today: DayNumber;
  readonly dayStartHour: number;
  readonly rules: DayRules;
  /** The last day that is settled; see settled-day.ts. */
  readonly settledThrough: DayNumber;
  /** A hash of all rules that decide about days up to `settledThrough`. */
  readonly settledKey: string;
  /** When the person quit or will, by the goal in force, in ms; null without. */
  readonly quitAt: number | null;
  /** From here on puff-free days count although there may be no puff; Infinity where nothing says so. */
  readonly puffFreeFrom: DayNumber;
  /** The first day on which a goal holds; Infinity without any. */
  readonly firstLimitDay: DayNumber;
  limitOn(day: DayNumber): number | null;
  statusOf(day: DayNumber, count: number): DayStatus;
}

export const todayOf = (settings: CalendarSettings, now: number): DayNumber =>
  localDayAt(now, settings.timeZone, settings.dayStartHour);

/** The local day of an instant (ms) that is over, where the person was at that time. */
export const dayThen = (settings: CalendarSettings, instant: number): DayNumber => {
  const lived = settings.timeZones.findLast(({ from }) => from <= instant) ?? settings.timeZones[0];
  return localDayAt(instant, lived?.timeZone ?? settings.timeZone, settings.dayStartHour);
};

export const calendarOf = (dayStartHour: number, rules: DayRules, today: DayNumber): Calendar => {
  const { goals, checkIns, skipped } = rules;
  const settled = settledThrough(today);
  const steps = goalSteps(goals);
  // Asked with each puff, so they are looked up once a day.
  const limits = Array.from({ length: today - settled }, (_, index) =>
    limitOnDay(steps, settled + 1 + index),
  );
  const goal = goalInForce(goals, today);
  // Its day may be tomorrow although the instant has passed: today moves back over a flight west.
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
    // Serialises whole histories, so it is made where it is needed, and once for a calendar.
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
