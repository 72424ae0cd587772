import { LRUCache } from 'lru-cache';
import type { PuffHistory } from '../../puffs/index.ts';
import type { Calendar } from '../goals/calendar.ts';
import type { Stretch } from './gaps.ts';
import { firstDayOf } from '../days/local-days.ts';
import type { PuffHistories, StatsPerson } from '../ports.ts';
import { computeSettled, isSettledValid, type SettledRuns } from './settled-runs.ts';
import type { SettledRunsStore } from './settled-runs-store.ts';

const maxPeople = 20_000;

export type SettledPerson = Pick<StatsPerson, 'userId' | 'createdAt'>;

/** The settled runs of people: in memory, then from a stored row, then computed from the whole history. */
export interface SettledRunsCache {
  /** The runs that are valid for this history, without a database call; undefined where one is needed. */
  peek(person: SettledPerson, calendar: Calendar, history: PuffHistory): SettledRuns | undefined;
  /** Reads the stored rows of the people whom `peek` does not know, in one query. */
  prefetch(people: readonly SettledHistory[]): Promise<void>;
  /**
   * Reads what is missing (the history after the settled day, and the stored row or, where it is not valid, the whole
   * history), then calls `make` synchronously with a history and the runs that are valid for it.
   */
  whenReady<T>(
    person: SettledPerson,
    calendar: Calendar,
    history: PuffHistory,
    make: (history: PuffHistory, settled: SettledRuns) => T,
  ): Promise<T>;
  /** Stores settled gaps that were read from the records, so that they are read once. */
  storeGaps(person: SettledPerson, settled: SettledRuns, stretch: Stretch): Promise<void>;
  evict(userId: string): void;
}

export interface SettledHistory {
  readonly person: SettledPerson;
  readonly calendar: Calendar;
  readonly history: PuffHistory;
}

export const createSettledRunsCache = (deps: {
  store: SettledRunsStore;
  puffs: Pick<PuffHistories, 'history'>;
}): SettledRunsCache => {
  const cache = new LRUCache<string, SettledRuns>({ max: maxPeople });

  const peek: SettledRunsCache['peek'] = (person, calendar, history) => {
    if (!history.isLoadedFrom(calendar.settledThrough + 1)) return undefined;
    const known = cache.get(person.userId);
    if (known && isSettledValid(known, calendar, history)) return known;
    const isEmpty = history.changedThrough(calendar.settledThrough + 1) === 0;
    const first = firstDayOf(person);
    if (!isEmpty && !history.isLoadedFrom(first)) return undefined;
    const { dayStartHour } = calendar;
    const settled = computeSettled(calendar, {
      rev: history.rev,
      firstActiveDay: history.activeDays(dayStartHour)[0],
      countOn: (day) => (isEmpty || day < first ? 0 : history.countOn(day, dayStartHour)),
      spans: history.spans(-Infinity),
    });
    cache.set(person.userId, settled);
    return settled;
  };

  /** Caches the row if it is valid for this history. */
  const putIfValid = (
    { person, calendar, history }: SettledHistory,
    row: SettledRuns | undefined,
  ): boolean => {
    if (!row || !isSettledValid(row, calendar, history)) return false;
    cache.set(person.userId, row);
    return true;
  };

  /** Reads what `peek` lacks and returns the history to peek with, which may have grown meanwhile. */
  const prepare = async (person: SettledPerson, calendar: Calendar, held: PuffHistory) => {
    const { userId } = person;
    const from = calendar.settledThrough + 1;
    const history = held.isLoadedFrom(from) ? held : await deps.puffs.history(userId, from);
    if (peek(person, calendar, history)) return history;
    if (putIfValid({ person, calendar, history }, (await deps.store.findMany([userId])).get(userId)))
      return history;
    const whole = await deps.puffs.history(userId, firstDayOf(person));
    const settled = peek(person, calendar, whole);
    if (settled) await deps.store.save(userId, settled);
    return whole;
  };

  return {
    peek,
    async prefetch(people) {
      const missing = people.filter(({ person, calendar, history }) => !peek(person, calendar, history));
      if (missing.length === 0) return;
      const rows = await deps.store.findMany(missing.map(({ person }) => person.userId));
      for (const one of missing) putIfValid(one, rows.get(one.person.userId));
    },
    async whenReady(person, calendar, held, make) {
      for (let history = held; ; history = await prepare(person, calendar, history)) {
        const settled = peek(person, calendar, history);
        if (settled) return make(history, settled);
      }
    },
    evict(userId) {
      cache.delete(userId);
    },
    async storeGaps({ userId }, settled, stretch) {
      const updated = { ...settled, gaps: { ...settled.gaps, stretch } };
      // Runs that were computed again meanwhile stay cached.
      if (cache.peek(userId) === settled) cache.set(userId, updated);
      await deps.store.save(userId, updated);
    },
  };
};
