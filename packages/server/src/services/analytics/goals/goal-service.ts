import type { Goal as GoalView, GoalInput, Purpose, UserStats } from '@pufftrack/contract';
import type { ClientSession } from 'mongoose';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import type { DayNumber, PuffHistory } from '../../puffs/index.ts';
import { processingPurposes } from '../../users/index.ts';
import { measuredBaseline, type MeasuredBaseline } from './baseline.ts';
import { dayThen, todayOf, type CalendarSettings } from './calendar.ts';
import type { CalendarCache } from './calendar-cache.ts';
import { checkInDays, checkInHistoryDays } from '../days/check-in.ts';
import type { CheckInStore } from '../days/check-in-store.ts';
import { goalRows } from './goal.ts';
import { addToHistory, earliestToday, reachesBack, type Goal, type StoredGoal } from './goal-history.ts';
import type { GoalStore } from './goal-store.ts';
import { viewGoal } from './goal-view.ts';
import { firstDayOf } from '../streaks/settled-runs-cache.ts';
import type { StatsPerson } from '../stats/stats-service.ts';

/**
 * Rows of a history of goals: one for each day of ten years, and room. Rows that decide nothing any more are removed
 * (`compactGoals`), so only changes on thousands of different days get here.
 */
export const maxGoals = 4_000;
/** Fields of a profile that stats depend on. */
const statsFields: readonly string[] = ['timeZone', 'dayStartHour', 'weekStart'];

/** What a person says about themselves and their days; each change is told to all of their devices. */
export interface GoalService {
  get(userId: string): Promise<GoalView>;
  set(userId: string, input: GoalInput): Promise<GoalView>;
  checkIn(userId: string, said: { days: readonly string[]; none: boolean }): Promise<UserStats>;
  profileChanged(person: StatsPerson, fields: readonly string[]): Promise<void>;
}

export interface GoalServiceDeps {
  goals: GoalStore;
  checkIns: CheckInStore;
  calendars: CalendarCache;
  clock: Clock;
  history: (userId: string, from?: DayNumber) => Promise<PuffHistory>;
  person: (userId: string) => StatsPerson | Promise<StatsPerson>;
  /** One transaction with the move of the settings' version; checks the consents. */
  changeSettings: <T>(
    userId: string,
    purposes: readonly Purpose[],
    work: (person: StatsPerson, tx: ClientSession) => Promise<T>,
  ) => Promise<{ person: StatsPerson; result: T }>;
  statsOf: (person: StatsPerson, history: PuffHistory) => UserStats | Promise<UserStats>;
  onStatsChanged: (stats: UserStats) => void;
}

export const createGoalService = (deps: GoalServiceDeps): GoalService => {
  const { goals, checkIns, calendars, clock, changeSettings } = deps;

  const view = async (person: StatsPerson): Promise<GoalView> => {
    const calendar = await calendars.load(person, clock.now());
    return viewGoal(calendar.rules.goals.at(-1), {
      limitToday: calendar.limitOn(calendar.today),
      signUpDay: dayAt(person, person.createdAt, clock.now()),
    });
  };

  const announce = async (person: StatsPerson): Promise<UserStats> => {
    const stats = await deps.statsOf(person, await deps.history(person.userId));
    deps.onStatsChanged(stats);
    return stats;
  };

  /** From the first confirmed days of the whole history; read once in a plan's life. */
  const measure = async (userId: string): Promise<MeasuredBaseline | undefined> => {
    const person = await deps.person(userId);
    const { today, dayStartHour, rules } = await calendars.load(person, clock.now());
    const history = await deps.history(userId, firstDayOf(person));
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
    const history = reachesBack(earlier, rows) ? earlier : await goals.listFrom(userId, -Infinity, tx);
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
      return view(await deps.person(userId));
    },
    async set(userId, input) {
      const measured = input.plan?.baselineSource === 'measured' ? await measure(userId) : undefined;
      const { person } = await changeSettings(userId, processingPurposes, async (settings, tx) => {
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
      await announce(person);
      return view(person);
    },
    async checkIn(userId, said) {
      const before = await deps.person(userId);
      const history = await deps.history(userId, todayOf(before, clock.now()) - checkInHistoryDays);
      const { person } = await changeSettings(userId, processingPurposes, async (settings, tx) => {
        const now = clock.now();
        const days = checkInDays(said.days, todayOf(settings, now));
        if (!said.none) return checkIns.remove(userId, days, tx);
        const quiet = days.filter((day) => history.countOn(day, settings.dayStartHour) === 0);
        return checkIns.add(userId, quiet, now, tx);
      });
      return announce(person);
    },
    async profileChanged(person, fields) {
      if (fields.some((field) => statsFields.includes(field))) await announce(person);
    },
  };
};

/** The local day of an instant (ms) where the person was at that time; of one to come, where they are now. */
const dayAt = (person: CalendarSettings, instant: number, now: number): DayNumber =>
  instant >= now ? todayOf(person, instant) : dayThen(person, instant);
