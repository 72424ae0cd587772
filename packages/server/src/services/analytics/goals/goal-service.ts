import type { Goal as GoalView, GoalInput } from '@pufftrack/contract';
import type { ClientSession } from 'mongoose';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { type DayNumber, dayOf } from '../../../domain/local-day.ts';
import { processingPurposes } from '../../../domain/consents.ts';
import { dayAt, firstDayOf, todayOf } from '../days/local-days.ts';
import type { PublishStats, PuffHistories, StatsPerson, UserDirectory } from '../ports.ts';
import { measuredBaseline, type MeasuredBaseline } from './baseline.ts';
import type { CalendarCache } from './calendar-cache.ts';
import { addToHistory, earliestToday, fitsTail, type Goal, type StoredGoal } from './goal-history.ts';
import type { GoalStore } from './goal-store.ts';
import { goalRows } from './goal.ts';

/**
 * The bound of a history of goals: one row for each day of ten years, and a reserve. Rows that decide nothing any more
 * are removed (`compactGoals`), so only changes on thousands of different days reach it.
 */
export const maxGoals = 4_000;

export interface GoalService {
  get(userId: string): Promise<GoalView>;
  set(userId: string, input: GoalInput): Promise<GoalView>;
}

export const createGoalService = (deps: {
  goals: GoalStore;
  calendars: CalendarCache;
  users: Pick<UserDirectory, 'settings' | 'changeSettings'>;
  puffs: Pick<PuffHistories, 'history'>;
  clock: Clock;
  publishStats: PublishStats;
}): GoalService => {
  const { goals, calendars, users, clock } = deps;

  const view = async (person: StatsPerson): Promise<GoalView> => {
    const now = clock.now();
    const calendar = await calendars.load(person, now);
    return viewGoal(calendar.rules.goals.at(-1), {
      limitToday: calendar.limitOn(calendar.today),
      signUpDay: dayAt(person, person.createdAt, now),
    });
  };

  /** From the first confirmed days of the whole history; runs once per plan. */
  const measure = async (userId: string): Promise<MeasuredBaseline | undefined> => {
    const person = await users.settings(userId);
    const { today, dayStartHour, rules } = await calendars.load(person, clock.now());
    const history = await deps.puffs.history(userId, firstDayOf(person));
    const confirmed = new Set([...history.activeDays(dayStartHour), ...rules.checkIns]);
    const counts = [...confirmed]
      .filter((day) => day < today)
      .sort((a, b) => a - b)
      .slice(0, 7)
      .map((day) => history.countOn(day, dayStartHour));
    return measuredBaseline(counts);
  };

  /** Throws `limit-reached`. */
  const addGoals = async (
    userId: string,
    { earlier, rows, today }: { earlier: readonly StoredGoal[]; rows: readonly Goal[]; today: DayNumber },
    tx: ClientSession,
  ): Promise<void> => {
    const history = fitsTail(earlier, rows) ? earlier : await goals.listFrom(userId, -Infinity, tx);
    const change = addToHistory(history, rows, today);
    if ((change.rows.at(-1)?.number ?? 0) > maxGoals)
      throw new DomainError('limit-reached', {
        detail: `The history of goals is full: it has ${maxGoals} entries.`,
        limit: maxGoals,
      });
    await goals.replaceFrom(userId, change, tx);
  };

  return {
    async get(userId) {
      return view(await users.settings(userId));
    },
    async set(userId, input) {
      const measured = input.plan?.baselineSource === 'measured' ? await measure(userId) : undefined;
      const { person } = await users.changeSettings(userId, processingPurposes, async (settings, tx) => {
        const now = clock.now();
        const today = todayOf(settings, now);
        const earlier = await goals.listFrom(userId, earliestToday(today), tx);
        const rows = goalRows(input, {
          earlier,
          now,
          dayAt: (instant) => dayAt(settings, instant, now),
          measured,
        });
        if (rows.length > 0) await addGoals(userId, { earlier, rows, today }, tx);
      });
      await deps.publishStats(person);
      return view(person);
    },
  };
};

/** A user without a goal tracks since the sign-up. */
const viewGoal = (
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
