import type { FriendSummary, UserStats } from '@pufftrack/contract';
import type { Clock } from '../../../platform/clock.ts';
import { dayOf } from '../../../domain/local-day.ts';
import type { BoardBaselines, PersonToMeasure } from '../boards/board-baselines.ts';
import { boardDayOf } from '../boards/board-day.ts';
import { boardDays, boardScoresOf, type BoardScores } from '../boards/board.ts';
import { pastDayOf, todayOf } from '../days/local-days.ts';
import type { Calendar } from '../goals/calendar.ts';
import type { CalendarCache } from '../goals/calendar-cache.ts';
import type { SettledRunsCache } from '../streaks/settled-runs-cache.ts';
import type { PuffHistories, StatsPerson } from '../ports.ts';
import { statsOf, summaryOf } from '../stats/stats.ts';
import type { UserStatsRow, UserStatsStore } from './user-stats-store.ts';

/**
 * The numbers of many people, from stored rows. A row is valid for one revision of the log, one version of the settings
 * and one local day; other rows are recomputed and stored. The number of queries does not depend on the number of people.
 */
export interface StatsReadModel {
  /** Recomputes and stores the rows that are not valid, and returns the current stats of all these people. */
  refreshStored(people: readonly StatsPerson[]): Promise<UserStats[]>;
  summaries(people: readonly StatsPerson[]): Promise<ReadonlyMap<string, FriendSummary>>;
  boardScores(people: readonly StatsPerson[]): Promise<ReadonlyMap<string, BoardScores>>;
}

/** The people whose whole past is read concurrently. The other connections stay free for recording puffs. */
const maxConcurrentPeople = 10;

export const createStatsReadModel = (deps: {
  store: UserStatsStore;
  calendars: CalendarCache;
  settled: SettledRunsCache;
  baselines: BoardBaselines;
  clock: Clock;
  puffs: Pick<PuffHistories, 'newestRevs' | 'histories'>;
}): StatsReadModel => {
  const { store, calendars, settled, baselines, clock, puffs } = deps;

  const computeRows = async (known: readonly PersonToMeasure[], now: number): Promise<UserStatsRow[]> => {
    await settled.prefetch(known);
    const frozen = await baselines.ofMany(known);
    const rowOf = ({ person, calendar, history: loaded }: PersonToMeasure): Promise<UserStatsRow> =>
      settled.whenReady(person, calendar, loaded, (history, runs) => ({
        settingsVersion: person.settingsVersion,
        stats: statsOf({ settings: person, calendar, history, settled: runs, now }),
        boardScores: boardScoresOf({
          days: lastDays(calendar).map((day) => boardDayOf(calendar, history, day)),
          accountDays: calendar.today - pastDayOf(person, person.createdAt),
          baseline: frozen.get(person.userId),
        }),
      }));
    const rows: UserStatsRow[] = [];
    for (let at = 0; at < known.length; at += maxConcurrentPeople)
      rows.push(...(await Promise.all(known.slice(at, at + maxConcurrentPeople).map(rowOf))));
    return rows;
  };

  const currentRows = async (people: readonly StatsPerson[]): Promise<ReadonlyMap<string, UserStatsRow>> => {
    const now = clock.now();
    const userIds = people.map(({ userId }) => userId);
    const [rows, revs] = await Promise.all([store.findMany(userIds), puffs.newestRevs(userIds)]);
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
      puffs.histories(new Map(stale.map(({ userId }) => [userId, revs.get(userId) ?? 0]))),
    ]);
    const known = stale.flatMap((person): PersonToMeasure[] => {
      const [calendar, history] = [days.get(person.userId), histories.get(person.userId)];
      return calendar && history ? [{ person, calendar, history }] : [];
    });
    const fresh = await computeRows(known, now);
    await store.save(fresh);
    for (const row of fresh) current.set(row.stats.userId, row);
    return current;
  };

  return {
    async refreshStored(people) {
      return [...(await currentRows(people)).values()].map(({ stats }) => stats);
    },
    async summaries(people) {
      return new Map(
        [...(await currentRows(people))].map(([userId, { stats }]) => [userId, summaryOf(stats)]),
      );
    },
    async boardScores(people) {
      return new Map([...(await currentRows(people))].map(([userId, row]) => [userId, row.boardScores]));
    },
  };
};

const lastDays = ({ today }: Calendar) =>
  Array.from({ length: boardDays }, (_, index) => today - boardDays + index);
