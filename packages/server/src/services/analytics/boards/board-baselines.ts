import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../platform/clock.ts';
import type { PuffHistory } from '../../puffs/index.ts';
import { pastDayOf } from '../days/local-days.ts';
import type { Calendar } from '../goals/calendar.ts';
import type { PuffHistories, StatsPerson } from '../ports.ts';
import { baselineToFreeze, countedDays } from './board-baseline.ts';
import type { BoardBaselineStore } from './board-baseline-store.ts';

const maxPeople = 20_000;
/** The first day that can count: puffs count two days late, check-ins three, and one day covers the zones. */
const maxDaysBeforeSignUp = 4;

export interface PersonToMeasure {
  readonly person: StatsPerson;
  readonly calendar: Calendar;
  readonly history: PuffHistory;
}

/** The frozen board baselines of people. A baseline never changes. */
export interface BoardBaselines {
  /**
   * The baselines of those who have one, in units a day; freezes those that are due. One query for all people who are not
   * cached, and one more history for each who has recorded for months and has no baseline.
   */
  ofMany(people: readonly PersonToMeasure[]): Promise<ReadonlyMap<string, number>>;
  evict(userId: string): void;
}

export const createBoardBaselines = (deps: {
  store: BoardBaselineStore;
  clock: Clock;
  puffs: Pick<PuffHistories, 'history'>;
}): BoardBaselines => {
  const { store, clock } = deps;
  const cache = new LRUCache<string, number>({ max: maxPeople });

  const measure = async ({ person, calendar, history }: PersonToMeasure): Promise<number | undefined> => {
    const first = pastDayOf(person, person.createdAt) - maxDaysBeforeSignUp;
    const whole = history.isLoadedFrom(first) ? history : await deps.puffs.history(person.userId, first);
    return baselineToFreeze(countedDays(calendar, whole, first), calendar.today);
  };

  const putAll = (baselines: ReadonlyMap<string, number>) => {
    for (const [userId, baseline] of baselines) cache.set(userId, baseline);
  };

  return {
    async ofMany(people) {
      const isUnknown = ({ person }: PersonToMeasure) => !cache.has(person.userId);
      const unknown = people.filter(isUnknown);
      if (unknown.length > 0) putAll(await store.findMany(unknown.map(({ person }) => person.userId)));
      const due = new Map<string, number>();
      await Promise.all(
        unknown.filter(isUnknown).map(async (candidate) => {
          const baseline = await measure(candidate);
          if (baseline !== undefined) due.set(candidate.person.userId, baseline);
        }),
      );
      if (due.size > 0) {
        await store.add(due, clock.now());
        // Read back: another process may have added one first.
        putAll(await store.findMany([...due.keys()]));
      }
      return new Map(
        people.flatMap(({ person: { userId } }) => {
          const baseline = cache.get(userId);
          return baseline === undefined ? [] : [[userId, baseline] as const];
        }),
      );
    },
    evict(userId) {
      cache.delete(userId);
    },
  };
};
