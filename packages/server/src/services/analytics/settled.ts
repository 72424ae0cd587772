import { LRUCache } from 'lru-cache';
import type { DayNumber, PuffHistory } from '../puffs/index.ts';
import type { Calendar } from './calendar.ts';
import type { Stretch } from './gaps.ts';
import { isSettledValid, settle, type SettledRuns } from './settled-runs.ts';
import type { SettledStore } from './settled-store.ts';

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
export interface Settled {
  /** Valid for this history, without a database call; undefined where one is needed. */
  peek(person: SettledPerson, calendar: Calendar, history: PuffHistory): SettledRuns | undefined;
  /**
   * Reads what `peek` lacks: a history loaded far enough, and the stored row, or the whole history where that row says
   * nothing. Answers the history to peek with; ask again if it has moved on meanwhile.
   */
  prepare(person: SettledPerson, calendar: Calendar, history: PuffHistory): Promise<PuffHistory>;
  /** Keeps what the records have told of the settled gaps, so that nobody reads them again. */
  learn(person: SettledPerson, settled: SettledRuns, stretch: Stretch): Promise<void>;
}

/** No puff of a person lies before this day. */
export const firstDayOf = ({ createdAt }: SettledPerson): DayNumber =>
  Math.floor(createdAt / dayMs) - daysBeforeAccount;

export const createSettled = (deps: {
  store: SettledStore;
  history: (userId: string, from: DayNumber) => Promise<PuffHistory>;
}): Settled => {
  const kept = new LRUCache<string, SettledRuns>({ max: maxPeople });

  const peek: Settled['peek'] = (person, calendar, history) => {
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

  return {
    peek,
    async prepare(person, calendar, held) {
      const { userId } = person;
      const from = calendar.settledThrough + 1;
      const history = held.isLoadedFrom(from) ? held : await deps.history(userId, from);
      if (peek(person, calendar, history)) return history;
      const row = await deps.store.find(userId);
      if (row && isSettledValid(row, calendar, history)) {
        kept.set(userId, row);
        return history;
      }
      const whole = await deps.history(userId, firstDayOf(person));
      const settled = peek(person, calendar, whole);
      if (settled) await deps.store.save(userId, settled);
      return whole;
    },
    async learn({ userId }, settled, stretch) {
      const learned = { ...settled, gaps: { ...settled.gaps, stretch } };
      // What was settled anew meanwhile stays.
      if (kept.peek(userId) === settled) kept.set(userId, learned);
      await deps.store.save(userId, learned);
    },
  };
};
