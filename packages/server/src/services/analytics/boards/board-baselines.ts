import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../platform/clock.ts';
import type { DayNumber, PuffHistory } from '../../puffs/index.ts';
import { baselineToFreeze } from './board-baseline.ts';
import type { BoardBaselineStore } from './board-baseline-store.ts';
import { countedDays } from './board-day.ts';
import { dayThen, type Calendar, type CalendarSettings } from '../goals/calendar.ts';

const maxPeople = 20_000;
/** Two days that a puff may be late, three that a check-in may, and one for the zones. */
const daysBeforeAccount = 4;

export interface BaselinePerson extends CalendarSettings {
  readonly userId: string;
  /** ms */
  readonly createdAt: number;
}

export interface PersonToMeasure {
  readonly person: BaselinePerson;
  readonly calendar: Calendar;
  readonly history: PuffHistory;
}

/** Frozen baselines of people; once there, one never changes. */
export interface BoardBaselines {
  /**
   * The baseline of each who has one, in units a day; freezes it for those whose time has come. One query for all of
   * whom this process knows none, and one more history for each who has recorded for months and still has none.
   */
  ofMany(people: readonly PersonToMeasure[]): Promise<ReadonlyMap<string, number>>;
  forget(userId: string): void;
}

export const createBoardBaselines = (deps: {
  store: BoardBaselineStore;
  clock: Clock;
  history: (userId: string, from: DayNumber) => Promise<PuffHistory>;
}): BoardBaselines => {
  const { store, clock } = deps;
  const kept = new LRUCache<string, number>({ max: maxPeople });

  const measure = async ({ person, calendar, history }: PersonToMeasure): Promise<number | undefined> => {
    const first = dayThen(person, person.createdAt) - daysBeforeAccount;
    const whole = history.isLoadedFrom(first) ? history : await deps.history(person.userId, first);
    return baselineToFreeze(countedDays(calendar, whole, first), calendar.today);
  };

  const keep = (baselines: ReadonlyMap<string, number>) => {
    for (const [userId, baseline] of baselines) kept.set(userId, baseline);
  };

  return {
    async ofMany(people) {
      const isUnknown = ({ person }: PersonToMeasure) => !kept.has(person.userId);
      const unknown = people.filter(isUnknown);
      if (unknown.length > 0) keep(await store.findMany(unknown.map(({ person }) => person.userId)));
      const due = new Map<string, number>();
      await Promise.all(
        unknown.filter(isUnknown).map(async (one) => {
          const baseline = await measure(one);
          if (baseline !== undefined) due.set(one.person.userId, baseline);
        }),
      );
      if (due.size > 0) {
        await store.add(due, clock.now());
        // Another process may have been first.
        keep(await store.findMany([...due.keys()]));
      }
      return new Map(
        people.flatMap(({ person: { userId } }) => {
          const baseline = kept.get(userId);
          return baseline === undefined ? [] : [[userId, baseline] as const];
        }),
      );
    },
    forget(userId) {
      kept.delete(userId);
    },
  };
};
