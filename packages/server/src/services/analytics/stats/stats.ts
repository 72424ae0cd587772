import type { FriendSummary, UserStats } from '@pufftrack/contract';
import { secondMs } from '../../../domain/durations.ts';
import { type DayNumber, dayOf, startOfMonth, startOfWeek } from '../../../domain/local-day.ts';
import type { PuffHistory } from '../../puffs/index.ts';
import { averageOf, changeOf } from './averages.ts';
import type { Calendar } from '../goals/calendar.ts';
import type { StatsPerson } from '../ports.ts';
import { walkRuns, type SettledRuns } from '../streaks/settled-runs.ts';
import { confirmedDaysOf, streakOf } from '../streaks/streaks.ts';

export type StatsSettings = Pick<StatsPerson, 'userId' | 'timeZone' | 'weekStart'>;

/**
 * A person's numbers: a pure function of history, settings, calendar and now (ms). `history` is loaded from the day after
 * the settled one and `settled` is valid for it, so the cost does not depend on the number of puffs.
 */
export const statsOf = (inputs: {
  settings: StatsSettings;
  calendar: Calendar;
  history: PuffHistory;
  settled: SettledRuns;
  now: number;
}): UserStats => {
  const { settings, calendar, history, settled, now } = inputs;
  const { today } = calendar;
  const first = calendar.settledThrough + 1;
  const counts: number[] = [];
  const isConfirmed: boolean[] = [];
  for (let day = first; day <= today; day++) {
    const count = history.countOn(day, calendar.dayStartHour);
    counts.push(count);
    isConfirmed.push(calendar.statusOf(day, count) === 'confirmed');
  }
  const countOn = (day: DayNumber) => counts[day - first] ?? 0;
  const sumFrom = (from: DayNumber) => {
    let sum = 0;
    for (let day = from; day <= today; day++) sum += countOn(day);
    return sum;
  };
  const runs = walkRuns(calendar, settled.runs, { from: first, to: today - 1, countOn });
  const [countToday, limitToday] = [countOn(today), calendar.limitOn(today)];
  const isOverLimit = limitToday !== null && countToday > limitToday;
  const puffFreeDays = streakOf(runs.puffFree, countToday > 0 ? 'puff' : null);

  /** Over the complete days from `from` to `to` days back. */
  const average = (from: number, to: number, least: number) =>
    averageOf({ counts, isConfirmed }, { from: today - from - first, to: today - to - first, least });
  const average7 = average(7, 1, 3);

  return {
    userId: settings.userId,
    asOf: new Date(now).toISOString(),
    revision: history.rev,
    timeZone: settings.timeZone,
    today: dayOf(today),
    dailyPuffCount: countToday,
    weeklyPuffCount: sumFrom(startOfWeek(today, settings.weekStart)),
    monthlyPuffCount: sumFrom(startOfMonth(today)),
    totalPuffCount: history.total,
    streakDays: puffFreeDays.current,
    streaks: {
      puffFreeDays,
      underLimitDays: streakOf(runs.underLimit, isOverLimit ? 'over-limit' : null),
      abstinenceSeconds: { current: abstinenceSeconds(history.lastPuffAt, calendar.quitAt, now) },
    },
    dailyLimit: limitToday,
    lastPuffAt: history.lastPuffAt === null ? null : new Date(history.lastPuffAt).toISOString(),
    average7,
    average30: average(30, 1, 10),
    changeVsPreviousWeek: changeOf(average7, average(14, 8, 3)),
  };
};

/**
 * The elapsed time since the last puff or the quit, whichever is later (domain.md D5), in whole seconds. A planned quit
 * does not count. Null without both. Instants in ms.
 */
export const abstinenceSeconds = (
  lastPuffAt: number | null,
  quitAt: number | null,
  now: number,
): number | null => {
  const quit = quitAt !== null && quitAt <= now ? quitAt : null;
  if (lastPuffAt === null && quit === null) return null;
  return Math.max(0, Math.floor((now - Math.max(lastPuffAt ?? -Infinity, quit ?? -Infinity)) / secondMs));
};

/** The numbers that a friend at `summary` sees: confirmed days only (domain.md D4). */
export const summaryOf = (stats: UserStats): FriendSummary => ({
  todayCount: stats.dailyPuffCount,
  dailyLimit: stats.dailyLimit,
  average7: stats.average7,
  changeVsPreviousWeek: stats.changeVsPreviousWeek,
  streakDays: confirmedDaysOf(stats.streaks.puffFreeDays),
  underLimitDays: confirmedDaysOf(stats.streaks.underLimitDays),
});
