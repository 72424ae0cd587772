import type { FriendSummary, UserStats } from '@pufftrack/contract';
import {
  dayOf,
  localDayAt,
  startOfMonth,
  startOfWeek,
  type DayNumber,
  type PuffHistory,
} from '../puffs/index.ts';
import { noStreak, puffFreeDays } from './streaks.ts';

/** The settings that a person's numbers depend on. */
export interface StatsSettings {
  readonly userId: string;
  readonly timeZone: string;
  readonly dayStartHour: number;
  readonly weekStart: 'monday' | 'sunday';
}

/**
 * A person's numbers, as a pure function of their history, their settings and now (ms). Derived every time, never
 * changed in place: domain.md, common rules.
 */
export const statsOf = (settings: StatsSettings, history: PuffHistory, now: number): UserStats => {
  const { dayStartHour } = settings;
  const today = localDayAt(now, settings.timeZone, dayStartHour);
  const sum = (from: DayNumber) => {
    let count = 0;
    for (let day = from; day <= today; day++) count += history.countOn(day, dayStartHour);
    return count;
  };
  const free = puffFreeDays(history.activeDays(dayStartHour), today);
  return {
    userId: settings.userId,
    asOf: new Date(now).toISOString(),
    revision: history.rev,
    timeZone: settings.timeZone,
    today: dayOf(today),
    dailyPuffCount: history.countOn(today, dayStartHour),
    weeklyPuffCount: sum(startOfWeek(today, settings.weekStart)),
    monthlyPuffCount: sum(startOfMonth(today)),
    totalPuffCount: history.total,
    streakDays: free.current,
    streaks: {
      puffFreeDays: free,
      underLimitDays: noStreak,
      abstinenceSeconds: {
        current:
          history.lastPuffAt === null ? null : Math.max(0, Math.floor((now - history.lastPuffAt) / 1000)),
      },
    },
    dailyLimit: null,
    lastPuffAt: history.lastPuffAt === null ? null : new Date(history.lastPuffAt).toISOString(),
    average7: null,
    average30: null,
    changeVsPreviousWeek: null,
  };
};

/** What a friend at `summary` sees: confirmed days only (domain.md D4). */
export const summaryOf = (stats: UserStats): FriendSummary => ({
  todayCount: stats.dailyPuffCount,
  dailyLimit: stats.dailyLimit,
  average7: stats.average7,
  changeVsPreviousWeek: stats.changeVsPreviousWeek,
  streakDays: stats.streaks.puffFreeDays.current - stats.streaks.puffFreeDays.unconfirmedDays,
  underLimitDays: stats.streaks.underLimitDays.current - stats.streaks.underLimitDays.unconfirmedDays,
});
