import type { Board, Leaderboard } from '@pufftrack/contract';
import type { Clock } from '../../../platform/clock.ts';
import { dayOf } from '../../../domain/local-day.ts';
import { todayOf } from '../days/local-days.ts';
import type { SharingPolicy, StatsPerson, UserDirectory } from '../ports.ts';
import { boardDays, rankEntries, type BoardScores, type Listed } from './board.ts';

/** A board of a user and their friends. Computed for each call, so a lower share level applies immediately. */
export type GetLeaderboard = (userId: string, board: Board) => Promise<Leaderboard>;

export const createLeaderboard =
  (deps: {
    boardScores: (people: readonly StatsPerson[]) => Promise<ReadonlyMap<string, BoardScores>>;
    clock: Clock;
    users: Pick<UserDirectory, 'settings'>;
    sharing: SharingPolicy;
  }): GetLeaderboard =>
  async (userId, board) => {
    const caller = await deps.users.settings(userId);
    const people = [caller, ...(await deps.sharing.boardFriendsOf(userId))];
    const scores = await deps.boardScores(people);
    const entries = rankEntries(
      people.flatMap((person): Listed[] => {
        const score = scores.get(person.userId)?.[board];
        return score ? [{ userId: person.userId, name: person.name, score }] : [];
      }),
    );
    const me = entries.find((entry) => entry.userId === userId);
    if (!me) throw new Error('the board has no entry for its caller');
    const today = todayOf(caller, deps.clock.now());
    return { board, period: { from: dayOf(today - boardDays), to: dayOf(today - 1) }, entries, me };
  };
