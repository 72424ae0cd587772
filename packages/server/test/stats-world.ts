import type { GoalInput } from '@pufftrack/contract';
import fc from 'fast-check';
import { todayOf } from '../src/services/analytics/days/local-days.ts';
import { calendarOf, dayRules, type Calendar } from '../src/services/analytics/goals/calendar.ts';
import { goalRows } from '../src/services/analytics/goals/goal.ts';
import type { Goal } from '../src/services/analytics/goals/goal-history.ts';
import type { CalendarSettings } from '../src/services/analytics/days/local-days.ts';
import type { StatsSettings } from '../src/services/analytics/stats/stats.ts';
import { localDayAt } from '../src/domain/local-day.ts';
import type { PuffHistory } from '../src/services/puffs/index.ts';
import { PuffState } from '../src/services/puffs/state/puff-state.ts';
import { wallClockAt } from '../src/domain/time-zones.ts';
import { dayMs, hourMs, minuteMs } from '../src/domain/durations.ts';
import type { ReferenceWorld } from './stats-reference.ts';

const quarterMs = 15 * minuteMs;
/** Summer time ends in Berlin and New York and begins in Auckland and on Lord Howe Island within the span. */
export const worldStart = Date.UTC(2026, 6, 20);
export const worldDays = 130;

/** The zones beside the date line are frequent, so that days are skipped and repeated. */
export const timeZone = fc.constantFrom(
  'Europe/Berlin',
  'America/New_York',
  'Pacific/Auckland',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Pacific/Honolulu',
  'Pacific/Honolulu',
  'Pacific/Kiritimati',
  'Pacific/Kiritimati',
);

/** The age of an event in ms; mostly recent, so that averages are not null. */
const ago = (maxDays: number) =>
  fc
    .oneof(fc.integer({ min: 0, max: Math.min(20, maxDays) * 96 }), fc.integer({ min: 0, max: maxDays * 96 }))
    .map((quarters) => quarters * quarterMs);

const dayText = (ms: number) => new Date(ms).toISOString().slice(0, 10);

const plan = fc.record({
  baseline: fc.integer({ min: 3, max: 12 }),
  target: fc.integer({ min: 0, max: 3 }),
  lengthDays: fc.integer({ min: 7, max: 40 }),
  curve: fc.constantFrom('linear' as const, 'step7' as const, 'exponential' as const),
});
const limit = fc.option(fc.integer({ min: 0, max: 8 }));

/** The input of a client at an instant. A quit is up to 200 days back or 20 ahead; a plan begins near it. */
const goalInput: fc.Arbitrary<(at: number) => GoalInput> = fc.oneof(
  limit.map((dailyLimit) => (): GoalInput => ({ mode: 'reduce', dailyLimit })),
  fc.constant((): GoalInput => ({ mode: 'track' })),
  fc
    .record({ dailyLimit: limit, parts: plan, startsIn: fc.integer({ min: -10, max: 20 }) })
    .map(({ dailyLimit, parts, startsIn }) => (at: number): GoalInput => ({
      mode: 'reduce',
      dailyLimit,
      plan: {
        product: 'vape',
        unit: 'puffs',
        baselineSource: 'declared',
        startDay: dayText(at + startsIn * dayMs),
        ...parts,
      },
    })),
  fc
    .record({ dailyLimit: limit, quitsIn: fc.option(fc.integer({ min: -200 * 96, max: 20 * 96 })) })
    .map(({ dailyLimit, quitsIn }) => (at: number): GoalInput => ({
      mode: 'quit',
      dailyLimit,
      ...(quitsIn !== null && { quitAt: new Date(at + quitsIn * quarterMs).toISOString() }),
    })),
);

export const goalSetting = fc.record({ ago: ago(worldDays), input: goalInput });

const move = fc.record({ timeZone, ago: ago(worldDays) });
/** A stay in Hawaii, and from there over the date line. */
const flightOverTheLine = fc.tuple(ago(100), fc.integer({ min: 1, max: 400 })).map(([landed, quarters]) => [
  { timeZone: 'Pacific/Honolulu', ago: landed + quarters * quarterMs },
  { timeZone: 'Pacific/Kiritimati', ago: landed },
]);

/** A random history of some months. Puffs are clustered, so that there are runs and full days. */
export const anyWorld: fc.Arbitrary<ReferenceWorld> = fc
  .record({
    now: fc
      .integer({ min: 30 * 96, max: worldDays * 96 })
      .map((quarters) => worldStart + quarters * quarterMs + 7 * minuteMs),
    dayStartHour: fc.constantFrom(0, 0, 3, 4, 12, 23),
    weekStart: fc.constantFrom('monday' as const, 'sunday' as const),
    home: timeZone,
    moves: fc.tuple(fc.array(move, { maxLength: 3 }), fc.oneof(fc.constant([]), flightOverTheLine)),
    puffs: fc.array(
      fc.record({
        ago: ago(worldDays),
        timeZone: fc.option(timeZone),
        quantity: fc.integer({ min: 1, max: 4 }),
        repeats: fc.integer({ min: 1, max: 20 }),
        everyHours: fc.constantFrom(1, 7, 24, 24),
      }),
      { maxLength: 8 },
    ),
    checkIns: fc.uniqueArray(
      fc.oneof(fc.integer({ min: 1, max: 35 }), fc.integer({ min: 1, max: worldDays })),
      { maxLength: 30 },
    ),
    goals: fc.array(goalSetting, { maxLength: 5 }),
  })
  .map(({ home, moves, puffs, checkIns, goals, now, ...rest }) => {
    // On the grid of the zones' own changes, which `now` is not.
    const instant = (before: number) => Math.floor(now / quarterMs) * quarterMs - before;
    const zones = [
      { timeZone: home, from: worldStart },
      ...moves
        .flat()
        .map((one) => ({ timeZone: one.timeZone, from: instant(one.ago) }))
        .filter(({ from }) => from > worldStart)
        .sort((a, b) => a.from - b.from),
    ];
    const zoneAt = (at: number) => zones.findLast(({ from }) => from <= at)?.timeZone ?? home;
    const today = localDayAt(now, zoneAt(now), rest.dayStartHour);
    return {
      ...rest,
      now,
      zones,
      checkIns: checkIns.map((back) => today - back),
      goals: goals
        .map((goal) => ({ at: instant(goal.ago), input: goal.input(instant(goal.ago)) }))
        .sort((a, b) => a.at - b.at),
      puffs: puffs
        .flatMap(({ ago: before, timeZone: abroad, quantity, repeats, everyHours }) =>
          Array.from({ length: repeats }, (_, index) => {
            const timestamp = instant(before) + index * everyHours * hourMs;
            return { timestamp, timeZone: abroad ?? zoneAt(timestamp), quantity };
          }),
        )
        .filter(({ timestamp }) => timestamp <= now),
    };
  });

/** The same history in the types of the server. */
export interface ServerWorld {
  readonly settings: StatsSettings & CalendarSettings;
  readonly history: PuffHistory;
  readonly calendar: Calendar;
  readonly goals: readonly Goal[];
}

export const goalsOf = (world: ReferenceWorld): Goal[] =>
  world.goals.reduce<Goal[]>((earlier, { at, input }) => {
    const dayAt = (ms: number) => {
      const lived = world.zones.findLast(({ from }) => from <= Math.min(ms, at)) ?? world.zones[0];
      return localDayAt(ms, lived?.timeZone ?? 'UTC', world.dayStartHour);
    };
    return [...earlier, ...goalRows(input, { earlier, now: at, dayAt, measured: undefined })];
  }, []);

/** Folds the puffs in the order of their arrival, which is not the order of time. */
const foldOf = (puffs: ReferenceWorld['puffs']): PuffHistory => {
  const state = new PuffState();
  puffs.forEach(({ timestamp, timeZone: zone, quantity }, index) => {
    const counted = { timestamp, wall: wallClockAt(zone, timestamp), quantity };
    state.fold({ rev: index + 1, kind: 'puff', counted, receivedAt: timestamp });
  });
  return state;
};

export const serverWorld = (world: ReferenceWorld): ServerWorld => {
  const { zones, dayStartHour, weekStart, now } = world;
  const settings: ServerWorld['settings'] = {
    userId: 'alice',
    timeZone: zones.at(-1)?.timeZone ?? 'UTC',
    timeZones: zones,
    dayStartHour,
    weekStart,
  };
  const goals = goalsOf(world);
  const checkIns = world.checkIns.map((day) => ({ day, at: (day + 1) * dayMs }));
  const rules = dayRules(settings, { goals, checkIns });
  return {
    settings,
    goals,
    history: foldOf(world.puffs),
    calendar: calendarOf(dayStartHour, rules, todayOf(settings, now)),
  };
};
