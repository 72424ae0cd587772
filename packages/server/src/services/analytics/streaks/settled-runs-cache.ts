import { LRUCache } from 'lru-cache';
import type { DayNumber, PuffHistory } from '../../puffs/index.ts';
import type { Calendar } from '../goals/calendar.ts';
import type { Stretch } from './gaps.ts';
import { isSettledValid, settle, type SettledRuns } from './settled-runs.ts';
import type { SettledRunsStore } from './settled-runs-store.ts';

const maxPeople = 20_000;
const dayMs = 86_400_000;
/** Puffs may be ten years older than their receipt, which is after the sign-up; and three days for the zones. */
const daysBeforeAccount = 3_656;

export interface SettledPerson {
  readonly userId: string;
  /** ms */
  readonly createdAt: number;
}

/** The settled runs of people: in memory, behind it a stored row for each, behind it the whole history. */
export interface SettledRunsCache {
  /** Valid for this history, which is loaded far enough, without a database call; undefined where one is needed. */
  peek(person: SettledPerson, calendar: Calendar, history: PuffHistory): SettledRuns | undefined;
  /** Reads the stored rows of those whom `peek` does not know, in one query for all. */
  prefetch(people: readonly SettledHistory[]): Promise<void>;
  /**
   * Reads what is missing (a history loaded far enough, and the stored row, or the whole history where that row says
   * nothing), and then calls `make` at once with a history and the runs that are valid for it.
   */
  whenReady<T>(
    person: SettledPerson,
    calendar: Calendar,
    history: PuffHistory,
    make: (history: PuffHistory, settled: SettledRuns) => T,
  ): Promise<T>;
  /** Keeps what the records have told of the settled gaps, so that nobody reads them again. */
  learn(person: SettledPerson, settled: SettledRuns, stretch: Stretch): Promise<void>;
  forget(userId: string): void;
}

export interface SettledHistory {
  readonly person: SettledPerson;
  readonly calendar: Calendar;
  readonly history: PuffHistory;
}

/** No puff of a person lies before this day. */
export const firstDayOf = ({ createdAt }: SettledPerson): DayNumber =>
  Math.floor(createdAt / dayMs) - daysBeforeAccount;

export const createSettledRunsCache = (deps: {
  store: SettledRunsStore;
  history: (userId: string, from: DayNumber) => Promise<PuffHistory>;
}): SettledRunsCache => {
  const kept = new LRUCache<string, SettledRuns>({ max: maxPeople });

  const peek: SettledRunsCache['peek'] = (person, calendar, history) => {
    if (!history.isLoadedFrom(calendar.settledThrough + 1)) return undefined;
    const known = kept.get(person.userId);
    if (known && isSettledValid(known, calendar, history)) return known;
    const isEmpty = history.changedThrough(calendar.settledThrough + 1) === 0;
    const first = firstDayOf(person);
    if (!isEmpty && !history.isLoadedFrom(first)) return undefined;
    const { dayStartHour } = calendar;
    const settled = settle(calendar, {
      rev: history.rev,
      firstActiveDay: history.activeDays(dayStartHour)[0],
      countOn: (day) => (isEmpty || day < first ? 0 : history.countOn(day, dayStartHour)),
      spans: history.spans(-Infinity),
    });
    kept.set(person.userId, settled);
    return settled;
  };

  /** Keeps the row if it is valid for this history. */
  const keep = ({ person, calendar, history }: SettledHistory, row: SettledRuns | undefined): boolean => {
    if (!row || !isSettledValid(row, calendar, history)) return false;
    kept.set(person.userId, row);
    return true;
  };

  /** Reads what `peek` lacks; answers the history to peek with, which may have moved on meanwhile. */
  const prepare = async (person: SettledPerson, calendar: Calendar, held: PuffHistory) => {
    const { userId } = person;
    const from = calendar.settledThrough + 1;
    const history = held.isLoadedFrom(from) ? held : await deps.history(userId, from);
    if (peek(person, calendar, history)) return history;
    if (keep({ person, calendar, history }, (await deps.store.findMany([userId])).get(userId)))
      return history;
    const whole = await deps.history(userId, firstDayOf(person));
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
      for (const one of missing) keep(one, rows.get(one.person.userId));
    },
    async whenReady(person, calendar, held, make) {
      for (let history = held; ; history = await prepare(person, calendar, history)) {
        const settled = peek(person, calendar, history);
        if (settled) return make(history, settled);
      }
    },
    forget(userId) {
      kept.delete(userId);
    },
    async learn({ userId }, settled, stretch) {
      const learned = { ...settled, gaps: { ...settled.gaps, stretch } };
      // What was settled anew meanwhile stays.
      if (kept.peek(userId) === settled) kept.set(userId, learned);
      await deps.store.save(userId, learned);
    },
  };
};
