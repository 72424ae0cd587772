import { LRUCache } from 'lru-cache';
import type { DayNumber } from '../../puffs/index.ts';
import {
  calendarOf,
  dayRules,
  todayOf,
  type Calendar,
  type CalendarSettings,
  type DayRules,
} from './calendar.ts';
import { checkInHistoryDays, type CheckIn } from '../days/check-in.ts';
import type { CheckInStore } from '../days/check-in-store.ts';
import { earliestToday, type StoredGoal } from './goal-history.ts';
import type { GoalStore } from './goal-store.ts';
import type { ZonePeriod } from '../days/skipped-days.ts';

const maxPeople = 20_000;

export interface CalendarPerson extends CalendarSettings {
  readonly userId: string;
  /** Moves with every change of what a calendar is made of. */
  readonly settingsVersion: number;
}

/** People's calendars, kept in memory until their settings or their day change. Instants in ms. */
export interface CalendarCache {
  /** Without a database call; undefined where one is needed. */
  peek(person: CalendarPerson, now: number): Calendar | undefined;
  load(person: CalendarPerson, now: number): Promise<Calendar>;
  /** The same for many, in two queries whatever their number. */
  loadMany(people: readonly CalendarPerson[], now: number): Promise<ReadonlyMap<string, Calendar>>;
  forget(userId: string): void;
}

/** What was read of a person; later reads ask for what may have been added or changed since. */
interface Kept {
  readonly settingsVersion: number;
  readonly goals: readonly StoredGoal[];
  readonly checkIns: readonly CheckIn[];
  /** The person's local day of the last read. */
  readonly readOn: DayNumber;
  readonly timeZones: readonly ZonePeriod[];
  readonly calendar: Calendar;
}

export const createCalendarCache = (deps: { goals: GoalStore; checkIns: CheckInStore }): CalendarCache => {
  const kept = new LRUCache<string, Kept>({ max: maxPeople });

  const keep = (person: CalendarPerson, rules: DayRules, read: Omit<Kept, 'calendar'>, now: number) => {
    const calendar = calendarOf(person.dayStartHour, rules, todayOf(person, now));
    // A read that began before a change must not come over it.
    if ((kept.peek(person.userId)?.settingsVersion ?? 0) <= person.settingsVersion)
      kept.set(person.userId, { ...read, calendar });
    return calendar;
  };

  const peek = (person: CalendarPerson, now: number): Calendar | undefined => {
    const entry = kept.get(person.userId);
    if (entry?.settingsVersion !== person.settingsVersion) return undefined;
    return entry.calendar.today === todayOf(person, now)
      ? entry.calendar
      : keep(person, entry.calendar.rules, entry, now);
  };

  /** Reads what these people have said since what is kept of them; the answer makes their calendars. */
  const readRules = async (userIds: readonly string[]) => {
    const known = new Map(userIds.map((userId) => [userId, kept.peek(userId)]));
    const goalsFrom = mapValues(known, settledGoal);
    const checkInsFrom = mapValues(known, firstOpenCheckIn);
    const [newGoals, newCheckIns] = await Promise.all([
      deps.goals.listMany(mapValues(goalsFrom, (goal) => goal?.number)),
      deps.checkIns.listMany(checkInsFrom),
    ]);
    // Where the row that both have is another one, the rows before it may be others too.
    const moved = userIds.filter((userId) => {
      const [goal, found] = [goalsFrom.get(userId), newGoals.get(userId)?.[0]];
      return goal && !(found && isSameRow(goal, found));
    });
    const whole =
      moved.length === 0
        ? undefined
        : await deps.goals.listMany(new Map(moved.map((userId) => [userId, undefined])));
    return (person: CalendarPerson, now: number): Calendar => {
      const { userId, settingsVersion, timeZones } = person;
      const before = known.get(userId);
      const [goal, day] = [goalsFrom.get(userId), checkInsFrom.get(userId)];
      const isMoved = moved.includes(userId);
      const goals = isMoved
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
      return keep(person, rules, { settingsVersion, goals, checkIns, readOn, timeZones }, now);
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

/** The newest goal that no later one can supersede, so that everything before it stays as it was read. */
const settledGoal = (known: Kept | undefined): StoredGoal | undefined =>
  known?.goals.findLast(({ effectiveDay }) => effectiveDay <= earliestToday(known.readOn));

const isSameRow = (one: StoredGoal, other: StoredGoal): boolean =>
  one.number === other.number && one.setAt === other.setAt && one.effectiveDay === other.effectiveDay;

/** Check-ins of earlier days cannot have changed since they were read. */
const firstOpenCheckIn = (known: Kept | undefined): DayNumber | undefined =>
  known && known.readOn - checkInHistoryDays;

/** Zones are added to the end. */
const hasSamePeriods = (one: readonly ZonePeriod[], other: readonly ZonePeriod[]): boolean =>
  one.length === other.length && one.at(-1)?.from === other.at(-1)?.from;

const mapValues = <V, W>(map: ReadonlyMap<string, V>, valueOf: (value: V) => W): Map<string, W> =>
  new Map([...map].map(([key, value]) => [key, valueOf(value)]));
