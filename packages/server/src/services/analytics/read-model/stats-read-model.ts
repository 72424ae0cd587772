import type { FriendSummary, UserStats } from '@pufftrack/contract';
import type { Clock } from '../../../platform/clock.ts';
import { dayOf, type PuffHistory } from '../../puffs/index.ts';
import type { BoardBaselines, PersonToMeasure } from '../boards/board-baselines.ts';
import { boardDayOf } from '../boards/board-day.ts';
import { boardDays, boardScoresOf, type BoardScores } from '../boards/board.ts';
import { dayThen, todayOf, type Calendar } from '../goals/calendar.ts';
import type { CalendarCache } from '../goals/calendar-cache.ts';
import type { SettledRunsCache } from '../streaks/settled-runs-cache.ts';
import type { StatsPerson } from '../stats/stats-service.ts';
import { statsOf, summaryOf } from '../stats/stats.ts';
import type { UserStatsRow, UserStatsStore } from './user-stats-store.ts';

/**
 * The numbers of many people at once, from stored rows. A row holds for one number of the log, one version of the
 * settings and one local day; what is stored of another is made anew and stored. The number of queries does not depend
 * on how many people are asked for.
 */
export interface StatsReadModel {
  /** Stores the numbers of these people as they are now, where what is stored is of another day, log or setting. */
  settle(people: readonly StatsPerson[]): Promise<UserStats[]>;
  summaries(people: readonly StatsPerson[]): Promise<ReadonlyMap<string, FriendSummary>>;
  standings(people: readonly StatsPerson[]): Promise<ReadonlyMap<string, BoardScores>>;
}

export interface StatsReadModelDeps {
  store: UserStatsStore;
  calendars: CalendarCache;
  settled: SettledRunsCache;
  baselines: BoardBaselines;
  clock: Clock;
  newestRevs: (userIds: readonly string[]) => Promise<ReadonlyMap<string, number>>;
  histories: (revs: ReadonlyMap<string, number>) => Promise<ReadonlyMap<string, PuffHistory>>;
}

/** People whose whole past may be read at the same time; the connections are for those who take puffs too. */
const atOnce = 10;

interface Known extends PersonToMeasure {
  readonly person: StatsPerson;
}

export const createStatsReadModel = (deps: StatsReadModelDeps): StatsReadModel => {
  const { store, calendars, settled, baselines, clock } = deps;

  const make = async (known: readonly Known[], now: number): Promise<UserStatsRow[]> => {
    await settled.prefetch(known);
    const frozen = await baselines.ofMany(known);
    const rowOf = ({ person, calendar, history: held }: Known): Promise<UserStatsRow> =>
      settled.whenReady(person, calendar, held, (history, runs) => ({
        settingsVersion: person.settingsVersion,
        stats: statsOf({ settings: person, calendar, history, settled: runs, now }),
        standings: boardScoresOf({
          days: lastDays(calendar).map((day) => boardDayOf(calendar, history, day)),
          accountDays: calendar.today - dayThen(person, person.createdAt),
          baseline: frozen.get(person.userId),
        }),
      }));
    const rows: UserStatsRow[] = [];
    for (let at = 0; at < known.length; at += atOnce)
      rows.push(...(await Promise.all(known.slice(at, at + atOnce).map(rowOf))));
    return rows;
  };

  const read = async (people: readonly StatsPerson[]): Promise<ReadonlyMap<string, UserStatsRow>> => {
    const now = clock.now();
    const userIds = people.map(({ userId }) => userId);
    const [rows, revs] = await Promise.all([store.findMany(userIds), deps.newestRevs(userIds)]);
    const current = new Map<string, UserStatsRow>();
    const stale = people.filter((person) => {
      const row = rows.get(person.userId);
      const isValid =
        row !== undefined &&
        row.stats.revision >= (revs.get(person.userId) ?? 0) &&
        row.settingsVersion === person.settingsVersion &&
        row.stats.today === dayOf(todayOf(person, now));
      if (isValid) current.set(person.userId, row);
      return !isValid;
    });
    if (stale.length === 0) return current;
    const [days, histories] = await Promise.all([
      calendars.loadMany(stale, now),
      deps.histories(new Map(stale.map(({ userId }) => [userId, revs.get(userId) ?? 0]))),
    ]);
    const known = stale.flatMap((person): Known[] => {
      const [calendar, history] = [days.get(person.userId), histories.get(person.userId)];
      return calendar && history ? [{ person, calendar, history }] : [];
    });
    const fresh = await make(known, now);
    await store.save(fresh);
    for (const row of fresh) current.set(row.stats.userId, row);
    return current;
  };

  return {
    async settle(people) {
      return [...(await read(people)).values()].map(({ stats }) => stats);
    },
    async summaries(people) {
      return new Map([...(await read(people))].map(([userId, { stats }]) => [userId, summaryOf(stats)]));
    },
    async standings(people) {
      return new Map([...(await read(people))].map(([userId, row]) => [userId, row.standings]));
    },
  };
};

const lastDays = ({ today }: Calendar) =>
  Array.from({ length: boardDays }, (_, index) => today - boardDays + index);
