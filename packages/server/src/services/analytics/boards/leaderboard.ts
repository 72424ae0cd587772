import type { Board, Leaderboard } from '@pufftrack/contract';
import type { Clock } from '../../../platform/clock.ts';
import { dayOf } from '../../puffs/index.ts';
import { boardDays, rankEntries, type Listed } from './board.ts';
import { todayOf } from '../goals/calendar.ts';
import type { StatsPerson } from '../stats/stats-service.ts';
import type { StatsReadModel } from '../read-model/stats-read-model.ts';

/** A board of a person and their friends, made for each call: a level that was lowered is in force at once. */
export type GetLeaderboard = (userId: string, board: Board) => Promise<Leaderboard>;

export interface LeaderboardDeps {
  standings: StatsReadModel['standings'];
  clock: Clock;
  person: (userId: string) => StatsPerson | Promise<StatsPerson>;
  /** Friends who let this person see their summary and who are on boards. */
  boardFriendsOf: (userId: string) => Promise<readonly StatsPerson[]>;
}

export const createLeaderboard =
  (deps: LeaderboardDeps): GetLeaderboard =>
  async (userId, board) => {
    const me = await deps.person(userId);
    const people = [me, ...(await deps.boardFriendsOf(userId))];
    const standings = await deps.standings(people);
    const entries = rankEntries(
      people.flatMap((person): Listed[] => {
        const standing = standings.get(person.userId)?.[board];
        return standing ? [{ userId: person.userId, name: person.name, standing }] : [];
      }),
    );
    const mine = entries.find((entry) => entry.userId === userId);
    if (!mine) throw new Error('a board without the person who asked for it');
    const today = todayOf(me, deps.clock.now());
    return {
      board,
      period: { from: dayOf(today - boardDays), to: dayOf(today - 1) },
      entries,
      me: mine,
    };
  };
