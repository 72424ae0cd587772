import { LRUCache } from 'lru-cache';
import type { DayNumber } from '../../../domain/local-day.ts';
import { todayOf, type CalendarSettings } from '../days/local-days.ts';
import type { StatsPerson, ZonePeriod } from '../ports.ts';
import { calendarOf, dayRules, type Calendar, type DayRules } from './calendar.ts';
import { checkInHistoryDays, type CheckIn } from '../days/check-in.ts';
import type { CheckInStore } from '../days/check-in-store.ts';
import { earliestToday, type StoredGoal } from './goal-history.ts';
import type { GoalStore } from './goal-store.ts';

const maxPeople = 20_000;

export type CalendarPerson = CalendarSettings & Pick<StatsPerson, 'userId' | 'settingsVersion'>;

/** The calendars of people, in memory until their settings or their local day change. Instants in ms. */
export interface CalendarCache {
  /** Without a database call; undefined where one is needed. */
  peek(person: CalendarPerson, now: number): Calendar | undefined;
  load(person: CalendarPerson, now: number): Promise<Calendar>;
  /** For many people, in two queries whatever their number. */
  loadMany(people: readonly CalendarPerson[], now: number): Promise<ReadonlyMap<string, Calendar>>;
  evict(userId: string): void;
}

/** What was read of a person. Later reads query only the rows that may have been added or changed since. */
interface CacheEntry {
  readonly settingsVersion: number;
  readonly goals: readonly StoredGoal[];
  readonly checkIns: readonly CheckIn[];
  /** The person's local day of the last read. */
  readonly readOn: DayNumber;
  readonly timeZones: readonly ZonePeriod[];
  readonly calendar: Calendar;
}

export const createCalendarCache = (deps: { goals: GoalStore; checkIns: CheckInStore }): CalendarCache => {
  const entries = new LRUCache<string, CacheEntry>({ max: maxPeople });

  const put = (
    person: CalendarPerson,
    rules: DayRules,
    read: Omit<CacheEntry, 'calendar'>,
    now: number,
  ): Calendar => {
    const calendar = calendarOf(person.dayStartHour, rules, todayOf(person, now));
    // A read that began before a change must not replace a newer entry.
    if ((entries.peek(person.userId)?.settingsVersion ?? 0) <= person.settingsVersion)
      entries.set(person.userId, { ...read, calendar });
    return calendar;
  };

  const peek = (person: CalendarPerson, now: number): Calendar | undefined => {
    const entry = entries.get(person.userId);
    if (entry?.settingsVersion !== person.settingsVersion) return undefined;
    return entry.calendar.today === todayOf(person, now)
      ? entry.calendar
      : put(person, entry.calendar.rules, entry, now);
  };

  /** Reads the goals and check-ins that are not cached. The result builds the calendars. */
  const readRules = async (userIds: readonly string[]) => {
    const known = new Map(userIds.map((userId) => [userId, entries.peek(userId)]));
    const goalsFrom = mapValues(known, settledGoal);
    const checkInsFrom = mapValues(known, firstOpenCheckIn);
    const [newGoals, newCheckIns] = await Promise.all([
      deps.goals.listMany(mapValues(goalsFrom, (goal) => goal?.number)),
      deps.checkIns.listMany(checkInsFrom),
    ]);
    // Where the row that both reads have in common differs, the rows before it may differ too: read all.
    const changed = userIds.filter((userId) => {
      const [goal, found] = [goalsFrom.get(userId), newGoals.get(userId)?.[0]];
      return goal && !(found && isSameRow(goal, found));
    });
    const whole =
      changed.length === 0
        ? undefined
        : await deps.goals.listMany(new Map(changed.map((userId) => [userId, undefined])));
    return (person: CalendarPerson, now: number): Calendar => {
      const { userId, settingsVersion, timeZones } = person;
      const before = known.get(userId);
      const [goal, day] = [goalsFrom.get(userId), checkInsFrom.get(userId)];
      const isChanged = changed.includes(userId);
      const goals = isChanged
        ? (whole?.get(userId) ?? [])
        : [
            ...(before?.goals ?? []).filter(({ number }) => goal && number < goal.number),
            ...(newGoals.get(userId) ?? []),
          ];
      const checkIns = [
        ...(before?.checkIns ?? []).filter((checkIn) => day !== undefined && checkIn.day < day),
        ...(newCheckIns.get(userId) ?? []),
      ];
      const isSame =
        before?.calendar.dayStartHour === person.dayStartHour && hasSamePeriods(before.timeZones, timeZones);
      const skipped = isSame ? before.calendar.rules.skipped : undefined;
      const rules = dayRules(person, { goals, checkIns }, skipped);
      const readOn = todayOf(person, now);
      return put(person, rules, { settingsVersion, goals, checkIns, readOn, timeZones }, now);
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
    evict(userId) {
      entries.delete(userId);
    },
  };
};

/** The newest goal that no later one can supersede: the rows before it never change. */
const settledGoal = (known: CacheEntry | undefined): StoredGoal | undefined =>
  known?.goals.findLast(({ effectiveDay }) => effectiveDay <= earliestToday(known.readOn));

const isSameRow = (one: StoredGoal, other: StoredGoal): boolean =>
  one.number === other.number && one.setAt === other.setAt && one.effectiveDay === other.effectiveDay;

/** Check-ins of earlier days cannot change any more. */
const firstOpenCheckIn = (known: CacheEntry | undefined): DayNumber | undefined =>
  known && known.readOn - checkInHistoryDays;

/** Periods are only appended. */
const hasSamePeriods = (one: readonly ZonePeriod[], other: readonly ZonePeriod[]): boolean =>
  one.length === other.length && one.at(-1)?.from === other.at(-1)?.from;

const mapValues = <V, W>(map: ReadonlyMap<string, V>, valueOf: (value: V) => W): Map<string, W> =>
  new Map([...map].map(([key, value]) => [key, valueOf(value)]));
