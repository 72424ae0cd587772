import type { FriendSummary, Leaderboard, Board, UserStats } from '@pufftrack/contract';
import type { Clock } from '../../platform/clock.ts';
import { dayOf, localDayAt, type PuffHistory } from '../puffs/index.ts';
import { statsOf, summaryOf, type StatsSettings } from './stats.ts';
import type { StatsStore } from './stats-store.ts';

/** A person as analytics needs them; users gives it. */
export interface StatsPerson extends StatsSettings {
  readonly name: string | null;
  readonly settingsVersion: number;
}

export interface StatsService {
  /** From a history that the caller holds already; no database call. */
  statsOf(person: StatsPerson, history: PuffHistory): UserStats;
  current(userId: string): Promise<UserStats>;
  /** Stores the numbers of these people as they are now, where what is stored is of another day, log or setting. */
  settle(people: readonly StatsPerson[]): Promise<UserStats[]>;
  summaries(people: readonly StatsPerson[]): Promise<ReadonlyMap<string, FriendSummary>>;
  leaderboard(userId: string, board: Board): Promise<Leaderboard>;
}

export const createStatsService = (deps: {
  store: StatsStore;
  clock: Clock;
  history: (userId: string) => Promise<PuffHistory>;
  person: (userId: string) => StatsPerson | Promise<StatsPerson>;
  people: (userIds: readonly string[]) => Promise<ReadonlyMap<string, StatsPerson>>;
  /** Friends who let this person see their summary and who are on boards. */
  boardFriendsOf: (userId: string) => Promise<readonly string[]>;
}): StatsService => {
  const { store, clock } = deps;

  const settle = async (people: readonly StatsPerson[]): Promise<UserStats[]> => {
    const now = clock.now();
    const rows = await store.findMany(people.map((person) => person.userId));
    const fresh: { key: { revision: number; settingsVersion: number; today: string }; stats: UserStats }[] =
      [];
    const all = await Promise.all(
      people.map(async (person) => {
        const history = await deps.history(person.userId);
        const row = rows.get(person.userId);
        const today = dayOf(localDayAt(now, person.timeZone, person.dayStartHour));
        if (
          row?.revision === history.rev &&
          row.settingsVersion === person.settingsVersion &&
          row.today === today
        )
          return row.stats;
        const stats = statsOf(person, history, now);
        fresh.push({
          key: { revision: stats.revision, settingsVersion: person.settingsVersion, today },
          stats,
        });
        return stats;
      }),
    );
    await store.save(fresh);
    return all;
  };

  return {
    settle,
    statsOf: (person, history) => statsOf(person, history, clock.now()),
    async current(userId) {
      const person = await deps.person(userId);
      return statsOf(person, await deps.history(userId), clock.now());
    },
    async summaries(people) {
      const all = await settle(people);
      return new Map(all.map((stats) => [stats.userId, summaryOf(stats)]));
    },
    async leaderboard(userId, board) {
      const me = await deps.person(userId);
      const friends = await deps.people(await deps.boardFriendsOf(userId));
      const today = localDayAt(clock.now(), me.timeZone, me.dayStartHour);
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
