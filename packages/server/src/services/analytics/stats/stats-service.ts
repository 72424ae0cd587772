import type { HourBins, StatsDay, UserStats } from '@pufftrack/contract';
import type { Clock } from '../../../platform/clock.ts';
import { dayNumberOf, type DayNumber, type PuffHistory } from '../../puffs/index.ts';
import type { Calendar } from '../goals/calendar.ts';
import type { CalendarPerson, CalendarCache } from '../goals/calendar-cache.ts';
import type { createDetailedStats } from './detailed-stats.ts';
import { firstDayOf, type SettledRunsCache, type SettledPerson } from '../streaks/settled-runs-cache.ts';
import { hourBins, statsDays, type HoursOn } from './stats-days.ts';
import { statsOf, type StatsSettings } from './stats.ts';

/** A person as analytics needs them; users gives it. */
export interface StatsPerson extends StatsSettings, CalendarPerson, SettledPerson {
  readonly name: string | null;
}

export interface StatsService {
  /** From a history that the caller holds already; at once where everything else is in memory too. */
  statsOf(person: StatsPerson, history: PuffHistory): UserStats | Promise<UserStats>;
  current(userId: string): Promise<UserStats>;
  /** The same with the gaps between puffs. */
  detailed(userId: string): Promise<UserStats>;
  days(userId: string, range: { from: string; to: string }): Promise<StatsDay[]>;
  /** Over the last `days` local days, today included. */
  hours(userId: string, days: number): Promise<HourBins>;
}

export interface StatsServiceDeps {
  calendars: CalendarCache;
  settled: SettledRunsCache;
  detailed: ReturnType<typeof createDetailedStats>;
  clock: Clock;
  history: (userId: string, from?: DayNumber) => Promise<PuffHistory>;
  person: (userId: string) => StatsPerson | Promise<StatsPerson>;
}

export const createStatsService = (deps: StatsServiceDeps): StatsService => {
  const { calendars, settled, clock } = deps;

  const load = async (person: StatsPerson, held: PuffHistory, now: number): Promise<UserStats> => {
    const calendar = await calendars.load(person, now);
    return settled.whenReady(person, calendar, held, (history, runs) =>
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

  /** By wall hour, from a history that is loaded far enough; nothing lies before the first day. */
  const hoursOf = async (person: StatsPerson, calendar: Calendar, from: DayNumber): Promise<HoursOn> => {
    const first = Math.max(from, firstDayOf(person));
    const history = await deps.history(person.userId, first);
    const none = new Array<number>(24).fill(0);
    return (day) => (day < first ? none : history.hoursOn(day, calendar.dayStartHour));
  };

  return {
    statsOf: (person, history) => statsNow(person, history, clock.now()),
    async current(userId) {
      const person = await deps.person(userId);
      return statsNow(person, await deps.history(userId), clock.now());
    },
    async detailed(userId) {
      const person = await deps.person(userId);
      const now = clock.now();
      const calendar = await calendars.load(person, now);
      for (let held = await deps.history(userId); ;) {
        const made = await settled.whenReady(person, calendar, held, (history, runs) => {
          const from = runs.gaps.through + 1;
          if (!history.isLoadedFrom(from)) return from;
          const stats = statsOf({ settings: person, calendar, history, settled: runs, now });
          return deps.detailed({ person, stats, calendar, history, settled: runs, now });
        });
        if (typeof made !== 'number') return made;
        held = await deps.history(userId, made);
      }
    },
    async days(userId, range) {
      const person = await deps.person(userId);
      const calendar = await calendars.load(person, clock.now());
      const [from, to] = [dayNumberOf(range.from), dayNumberOf(range.to)];
      return statsDays(calendar, { from, to, hoursOn: await hoursOf(person, calendar, from) });
    },
    async hours(userId, days) {
      const person = await deps.person(userId);
      const calendar = await calendars.load(person, clock.now());
      const [from, to] = [calendar.today - days + 1, calendar.today];
      return hourBins(calendar, { from, to, hoursOn: await hoursOf(person, calendar, from) });
    },
  };
};
