import type { Board, FriendSummary, HourBins, Leaderboard, StatsDay, UserStats } from '@pufftrack/contract';
import type { Clock } from '../../platform/clock.ts';
import { dayNumberOf, dayOf, type DayNumber, type PuffHistory } from '../puffs/index.ts';
import { todayOf, type Calendar } from './calendar.ts';
import type { CalendarPerson, Calendars } from './calendars.ts';
import type { createDetailedStats } from './detailed-stats.ts';
import { firstDayOf, type Settled, type SettledPerson } from './settled.ts';
import { hourBins, statsDays, type HoursOn } from './stats-days.ts';
import { statsOf, summaryOf, type StatsSettings } from './stats.ts';
import type { StatsStore } from './stats-store.ts';

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
  /** Stores the numbers of these people as they are now, where what is stored is of another day, log or setting. */
  settle(people: readonly StatsPerson[]): Promise<UserStats[]>;
  summaries(people: readonly StatsPerson[]): Promise<ReadonlyMap<string, FriendSummary>>;
  leaderboard(userId: string, board: Board): Promise<Leaderboard>;
}

export interface StatsServiceDeps {
  store: StatsStore;
  calendars: Calendars;
  settled: Settled;
  detailed: ReturnType<typeof createDetailedStats>;
  clock: Clock;
  history: (userId: string, from?: DayNumber) => Promise<PuffHistory>;
  person: (userId: string) => StatsPerson | Promise<StatsPerson>;
  people: (userIds: readonly string[]) => Promise<ReadonlyMap<string, StatsPerson>>;
  /** Friends who let this person see their summary and who are on boards. */
  boardFriendsOf: (userId: string) => Promise<readonly string[]>;
}

export const createStatsService = (deps: StatsServiceDeps): StatsService => {
  const { store, calendars, settled, clock } = deps;

  /** Undefined where something has to be read first. */
  const compute = (
    person: StatsPerson,
    calendar: Calendar,
    history: PuffHistory,
    now: number,
  ): UserStats | undefined => {
    if (!history.isLoadedFrom(calendar.settledThrough + 1)) return undefined;
    const runs = settled.peek(person, calendar, history);
    return runs && statsOf({ settings: person, calendar, history, settled: runs, now });
  };

  const load = async (person: StatsPerson, held: PuffHistory, now: number): Promise<UserStats> => {
    const calendar = await calendars.load(person, now);
    for (let history = held; ;) {
      const stats = compute(person, calendar, history, now);
      if (stats) return stats;
      history = await settled.prepare(person, calendar, history);
    }
  };

  const statsNow = (person: StatsPerson, history: PuffHistory, now: number) => {
    const calendar = calendars.peek(person, now);
    return (calendar && compute(person, calendar, history, now)) ?? load(person, history, now);
  };

  /** By wall hour, from a history that is loaded far enough; nothing lies before the first day. */
  const hoursOf = async (person: StatsPerson, calendar: Calendar, from: DayNumber): Promise<HoursOn> => {
    const first = Math.max(from, firstDayOf(person));
    const history = await deps.history(person.userId, first);
    const none = new Array<number>(24).fill(0);
    return (day) => (day < first ? none : history.hoursOn(day, calendar.dayStartHour));
  };

  const settle = async (people: readonly StatsPerson[]): Promise<UserStats[]> => {
    const now = clock.now();
    const rows = await store.findMany(people.map((person) => person.userId));
    const known = await Promise.all(
      people.map(async (person) => {
        const history = await deps.history(person.userId);
        const row = rows.get(person.userId);
        const isValid =
          row?.revision === history.rev &&
          row.settingsVersion === person.settingsVersion &&
          row.today === dayOf(todayOf(person, now));
        return { person, history, stats: isValid ? row.stats : undefined };
      }),
    );
    await calendars.loadMany(
      known.flatMap(({ person, stats }) => (stats ? [] : [person])),
      now,
    );
    const fresh: Parameters<StatsStore['save']>[0][number][] = [];
    const all = await Promise.all(
      known.map(async ({ person, history, stats: stored }) => {
        if (stored) return stored;
        const stats = await statsNow(person, history, now);
        const { revision, today } = stats;
        fresh.push({ key: { revision, settingsVersion: person.settingsVersion, today }, stats });
        return stats;
      }),
    );
    await store.save(fresh);
    return all;
  };

  return {
    settle,
    statsOf: (person, history) => statsNow(person, history, clock.now()),
    async current(userId) {
      const person = await deps.person(userId);
      return statsNow(person, await deps.history(userId), clock.now());
    },
    async detailed(userId) {
      const person = await deps.person(userId);
      const now = clock.now();
      const calendar = await calendars.load(person, now);
      for (let history = await deps.history(userId); ;) {
        const stats = compute(person, calendar, history, now);
        const runs = stats && settled.peek(person, calendar, history);
        if (stats && runs && history.isLoadedFrom(runs.gaps.through + 1))
          return deps.detailed({ person, stats, calendar, history, settled: runs, now });
        history = runs
          ? await deps.history(userId, runs.gaps.through + 1)
          : await settled.prepare(person, calendar, history);
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
    async summaries(people) {
      const all = await settle(people);
      return new Map(all.map((stats) => [stats.userId, summaryOf(stats)]));
    },
    async leaderboard(userId, board) {
      const me = await deps.person(userId);
      const friends = await deps.people(await deps.boardFriendsOf(userId));
      const today = todayOf(me, clock.now());
      const unranked = ({ userId: id, name }: StatsPerson) => ({
        rank: null,
        userId: id,
        name,
        value: null,
        reason: 'not-enough-data' as const,
      });
      return {
        board,
        period: { from: dayOf(today - 7), to: dayOf(today - 1) },
        entries: [me, ...friends.values()].map(unranked),
        me: unranked(me),
      };
    },
  };
};
