import type { HourBins, StatsDay, UserStats } from '@pufftrack/contract';
import type { Clock } from '../../../platform/clock.ts';
import { type DayNumber, dayNumberOf } from '../../../domain/local-day.ts';
import type { PuffHistory } from '../../puffs/index.ts';
import { firstDayOf } from '../days/local-days.ts';
import type { Calendar } from '../goals/calendar.ts';
import type { CalendarCache } from '../goals/calendar-cache.ts';
import type { LiveEvents, PublishStats, PuffHistories, StatsPerson, UserDirectory } from '../ports.ts';
import type { SettledRunsCache } from '../streaks/settled-runs-cache.ts';
import type { createDetailedStats } from './detailed-stats.ts';
import { hourBins, statsDays, type HoursOn } from './stats-days.ts';
import { statsOf } from './stats.ts';

export interface StatsService {
  /** From a history that the caller has loaded; synchronous where everything else is in memory too. */
  statsOf(person: StatsPerson, history: PuffHistory): UserStats | Promise<UserStats>;
  current(userId: string): Promise<UserStats>;
  publish: PublishStats;
  /** With the gaps between puffs. */
  detailed(userId: string): Promise<UserStats>;
  days(userId: string, range: { from: string; to: string }): Promise<StatsDay[]>;
  /** Over the last `days` local days, today included. */
  hours(userId: string, days: number): Promise<HourBins>;
}

export const createStatsService = (deps: {
  calendars: CalendarCache;
  settled: SettledRunsCache;
  detailed: ReturnType<typeof createDetailedStats>;
  clock: Clock;
  users: Pick<UserDirectory, 'settings'>;
  puffs: Pick<PuffHistories, 'history'>;
  live: LiveEvents;
}): StatsService => {
  const { calendars, settled, clock, users, puffs } = deps;

  const load = async (person: StatsPerson, loaded: PuffHistory, now: number): Promise<UserStats> => {
    const calendar = await calendars.load(person, now);
    return settled.whenReady(person, calendar, loaded, (history, runs) =>
      statsOf({ settings: person, calendar, history, settled: runs, now }),
    );
  };

  const statsNow = (person: StatsPerson, history: PuffHistory, now: number) => {
    const calendar = calendars.peek(person, now);
    const runs = calendar && settled.peek(person, calendar, history);
    return runs
      ? statsOf({ settings: person, calendar, history, settled: runs, now })
      : load(person, history, now);
  };

  /** By wall-clock hour. There are no puffs before the first day of the account. */
  const hoursOf = async (person: StatsPerson, calendar: Calendar, from: DayNumber): Promise<HoursOn> => {
    const first = Math.max(from, firstDayOf(person));
    const history = await puffs.history(person.userId, first);
    const none = new Array<number>(24).fill(0);
    return (day) => (day < first ? none : history.hoursOn(day, calendar.dayStartHour));
  };

  return {
    statsOf: (person, history) => statsNow(person, history, clock.now()),
    async current(userId) {
      const person = await users.settings(userId);
      return statsNow(person, await puffs.history(userId), clock.now());
    },
    async publish(person) {
      const stats = await statsNow(person, await puffs.history(person.userId), clock.now());
      deps.live.statsChanged(stats);
      return stats;
    },
    async detailed(userId) {
      const person = await users.settings(userId);
      const now = clock.now();
      const calendar = await calendars.load(person, now);
      for (let loaded = await puffs.history(userId); ;) {
        const result = await settled.whenReady(person, calendar, loaded, (history, runs) => {
          const from = runs.gaps.through + 1;
          if (!history.isLoadedFrom(from)) return from;
          const stats = statsOf({ settings: person, calendar, history, settled: runs, now });
          return deps.detailed({ person, stats, calendar, history, settled: runs, now });
        });
        if (typeof result !== 'number') return result;
        loaded = await puffs.history(userId, result);
      }
    },
    async days(userId, range) {
      const person = await users.settings(userId);
      const calendar = await calendars.load(person, clock.now());
      const [from, to] = [dayNumberOf(range.from), dayNumberOf(range.to)];
      return statsDays(calendar, { from, to, hoursOn: await hoursOf(person, calendar, from) });
    },
    async hours(userId, days) {
      const person = await users.settings(userId);
      const calendar = await calendars.load(person, clock.now());
      const [from, to] = [calendar.today - days + 1, calendar.today];
      return hourBins(calendar, { from, to, hoursOn: await hoursOf(person, calendar, from) });
    },
  };
};
