import { LRUCache } from 'lru-cache';
import {
  calendarOf,
  dayRules,
  todayOf,
  type Calendar,
  type CalendarSettings,
  type DayRules,
} from './calendar.ts';
import type { CheckInStore } from './check-in-store.ts';
import type { GoalStore } from './goal-store.ts';

const maxPeople = 20_000;

export interface CalendarPerson extends CalendarSettings {
  readonly userId: string;
  /** Moves with every change of what a calendar is made of. */
  readonly settingsVersion: number;
}

/** People's calendars, kept in memory until their settings or their day change. Instants in ms. */
export interface Calendars {
  /** Without a database call; undefined where one is needed. */
  peek(person: CalendarPerson, now: number): Calendar | undefined;
  load(person: CalendarPerson, now: number): Promise<Calendar>;
  /** The same for many, in two queries whatever their number. */
  loadMany(people: readonly CalendarPerson[], now: number): Promise<ReadonlyMap<string, Calendar>>;
  forget(userId: string): void;
}

export const createCalendars = (deps: { goals: GoalStore; checkIns: CheckInStore }): Calendars => {
  const kept = new LRUCache<string, { settingsVersion: number; rules: DayRules; calendar: Calendar }>({
    max: maxPeople,
  });

  const keep = (person: CalendarPerson, rules: DayRules, now: number): Calendar => {
    const calendar = calendarOf(person.dayStartHour, rules, todayOf(person, now));
    const { userId, settingsVersion } = person;
    // A read that began before a change must not come over it.
    if ((kept.peek(userId)?.settingsVersion ?? 0) <= settingsVersion)
      kept.set(userId, { settingsVersion, rules, calendar });
    return calendar;
  };

  const peek = (person: CalendarPerson, now: number): Calendar | undefined => {
    const entry = kept.get(person.userId);
    if (entry?.settingsVersion !== person.settingsVersion) return undefined;
    return entry.calendar.today === todayOf(person, now) ? entry.calendar : keep(person, entry.rules, now);
  };

  /** Reads what these people have said; the answer makes their calendars. */
  const readRules = async (userIds: readonly string[]) => {
    const [goals, checkIns] = await Promise.all([
      deps.goals.listMany(userIds),
      deps.checkIns.listMany(userIds),
    ]);
    return (person: CalendarPerson, now: number): Calendar => {
      const said = {
        goals: goals.get(person.userId) ?? [],
        checkIns: checkIns.get(person.userId) ?? [],
      };
      return keep(person, dayRules(person, said), now);
    };
  };

  return {
    peek,
    async load(person, now) {
      return peek(person, now) ?? (await readRules([person.userId]))(person, now);
    },
    async loadMany(people, now) {
      const calendars = new Map<string, Calendar>();
      const missing = people.filter((person) => {
        const calendar = peek(person, now);
        if (calendar) calendars.set(person.userId, calendar);
        return !calendar;
      });
      if (missing.length === 0) return calendars;
      const calendarFor = await readRules(missing.map(({ userId }) => userId));
      for (const person of missing) calendars.set(person.userId, calendarFor(person, now));
      return calendars;
    },
    forget(userId) {
      kept.delete(userId);
    },
  };
};
