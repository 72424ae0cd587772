import { describe, expect, it } from '@jest/globals';
import type { GoalInput, PlanInput } from '@pufftrack/contract';
import fc from 'fast-check';
import { dayMs } from '../../../domain/durations.ts';
import { dayOf } from '../../../domain/local-day.ts';
import { goalRows } from './goal.ts';
import {
  addToHistory,
  beginsOn,
  compactGoals,
  earliestToday,
  frozenBaseline,
  goalInForce,
  goalSteps,
  hadLimitBefore,
  limitInForce,
  limitOnDay,
  fitsTail,
  type Goal,
  type StoredGoal,
} from './goal-history.ts';

const firstDay = 20_000;
const instant = (day: number) => new Date((day + 0.25) * dayMs).toISOString();

/** A change of the goal. The user's today may move back by up to 2 days, as on a flight west. */
interface Step {
  readonly daysLater: number;
  readonly input: (today: number) => GoalInput;
  readonly measuredDays: number;
}

const anyLimit = fc.option(fc.integer({ min: 0, max: 3 }));
const anyPlan = fc
  .record({
    startsIn: fc.integer({ min: -8, max: 8 }),
    baseline: fc.integer({ min: 2, max: 6 }),
    target: fc.integer({ min: 0, max: 2 }),
    baselineSource: fc.constantFrom('measured' as const, 'declared' as const),
  })
  .map(({ startsIn, ...parts }) => (today: number): PlanInput => ({
    ...parts,
    product: 'vape',
    unit: 'puffs',
    startDay: dayOf(today + startsIn),
    lengthDays: 7,
    curve: 'linear',
  }));
const anyInput: fc.Arbitrary<Step['input']> = fc.oneof(
  fc.constant((): GoalInput => ({ mode: 'track' })),
  anyLimit.map((dailyLimit) => (): GoalInput => ({ mode: 'reduce', dailyLimit })),
  fc.tuple(anyLimit, anyPlan).map(([dailyLimit, planOn]) => (today: number): GoalInput => ({
    mode: 'reduce',
    dailyLimit,
    plan: planOn(today),
  })),
  fc
    .tuple(
      anyLimit,
      fc.oneof(fc.integer({ min: -2, max: 9 }), fc.integer({ min: -300, max: -3 })),
      fc.option(anyPlan),
    )
    .map(([dailyLimit, quitsIn, planOn]) => (today: number): GoalInput => ({
      mode: 'quit',
      dailyLimit,
      quitAt: instant(today + quitsIn),
      plan: planOn?.(today) ?? null,
    })),
);
const anySteps = fc.array(
  fc.record({
    daysLater: fc.oneof(fc.constant(0), fc.integer({ min: -2, max: 4 }), fc.integer({ min: 0, max: 40 })),
    input: anyInput,
    measuredDays: fc.integer({ min: 5, max: 7 }),
  }),
  { minLength: 1, maxLength: 40 },
);

const rowsFor = (step: Step, today: number, earlier: readonly Goal[]): Goal[] => {
  try {
    return goalRows(step.input(today), {
      earlier,
      now: (today + 0.5) * dayMs,
      dayAt: (at) => Math.floor(at / dayMs),
      measured: { baseline: 1 + (today % 5), days: step.measuredDays },
    });
  } catch {
    return []; // invalid input, for example a target above the baseline: refused in both histories
  }
};

/** The tail that the store returns: the newest row in effect by `day`, and all after it. */
const tailOf = (stored: readonly StoredGoal[], day: number): readonly StoredGoal[] =>
  stored.slice(
    Math.max(
      0,
      stored.findLastIndex((goal) => goal.effectiveDay <= day && goal.before),
    ),
  );

const withoutPlace = (goal: Goal | undefined): Omit<Goal, 'before'> | undefined =>
  goal && {
    mode: goal.mode,
    dailyLimit: goal.dailyLimit,
    plan: goal.plan,
    baselineDays: goal.baselineDays,
    quitAt: goal.quitAt,
    quitDay: goal.quitDay,
    setAt: goal.setAt,
    effectiveDay: goal.effectiveDay,
  };

/** Sets a goal as the service does: from the tail of the history where that is enough. */
const setGoal = (stored: readonly StoredGoal[], step: Step, today: number): StoredGoal[] => {
  const end = tailOf(stored, earliestToday(today));
  const goals = rowsFor(step, today, end);
  if (goals.length === 0) return [...stored];
  const { from, rows } = addToHistory(fitsTail(end, goals) ? end : stored, goals, today);
  return [...stored.slice(0, from - 1), ...rows];
};

/** Sets the goals in a history that keeps every row, and in one that is read from its tail and compacted. */
const play = (steps: readonly Step[], visit: (full: Goal[], stored: StoredGoal[], today: number) => void) => {
  let full: Goal[] = [];
  let stored: StoredGoal[] = [];
  let now = firstDay;
  for (const step of steps) {
    // Only a zone change moves today back, by at most 2 days in total.
    now = Math.max(now, now + step.daysLater);
    const today = step.daysLater < 0 ? now + step.daysLater : now;
    stored = setGoal(stored, step, today);
    full = [...full, ...rowsFor(step, today, full).flatMap((goal) => withoutPlace(goal) ?? [])];
    visit(full, stored, today);
  }
};

describe('a compacted history of goals', () => {
  const expectSameAnswers = (full: readonly Goal[], stored: readonly StoredGoal[], today: number) => {
    // Limits change only on these days, so one day of each stretch is enough.
    const days = full.flatMap((goal) => [
      goal.effectiveDay - 1,
      goal.effectiveDay,
      ...(goal.plan ? [goal.plan.startDay, goal.plan.startDay + 7] : []),
      ...(goal.quitDay === null ? [] : [goal.quitDay]),
    ]);
    const answers = (goals: readonly Goal[]) =>
      days.map((day) => [limitInForce(goals, day), withoutPlace(goalInForce(goals, day))]);
    expect(answers(stored)).toEqual(answers(full));
    expect(stored.map(({ number }) => number)).toEqual(stored.map((_goal, index) => index + 1));
    expect(withoutPlace(stored.at(-1))).toEqual(withoutPlace(full.at(-1)));
    expect(goalSteps(stored)[0]?.effectiveDay).toBe(goalSteps(full)[0]?.effectiveDay);
    const end = tailOf(stored, earliestToday(today));
    expect(frozenBaseline(end)).toEqual(frozenBaseline(full));
    const limited = full.some(
      (one) => one.effectiveDay <= today && limitInForce(full, one.effectiveDay) !== null,
    );
    expect(hadLimitBefore(end, today + 1)).toBe(limited);
  };

  it('gives the same answers as a history with all rows', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        play(steps, expectSameAnswers);
      }),
      { numRuns: 300 },
    );
  });

  it.each([0, 1, 2])(
    'keeps a higher limit under a quit of tomorrow that is postponed %i days later',
    (later) => {
      const step = (daysLater: number, input: Step['input']): Step => ({ daysLater, input, measuredDays: 7 });
      const quitIn =
        (days: number) =>
        (today: number): GoalInput => ({
          mode: 'quit',
          quitAt: instant(today + days),
        });
      play(
        [
          step(0, () => ({ mode: 'reduce', dailyLimit: 2 })),
          step(0, () => ({ mode: 'reduce', dailyLimit: 3 })),
          step(0, quitIn(1)),
          step(-later, quitIn(9)),
        ],
        (full, stored, today) => {
          expectSameAnswers(full, stored, today);
          expect(stored.length).toBeLessThanOrEqual(full.length);
        },
      );
    },
  );

  it('keeps for one day one goal without a pending start and one for each pending start', () => {
    const startOf = (goal: Goal) => (goal.dailyLimit === null ? beginsOn(goal) : Infinity);
    fc.assert(
      fc.property(anySteps, (steps) => {
        play(steps, (_full, stored) => {
          const rows = stored.map((goal) => `${goal.effectiveDay} ${startOf(goal)}`);
          expect(rows).toEqual([...new Set(rows)]);
        });
      }),
      { numRuns: 300 },
    );
  });

  it.each<[string, GoalInput[]]>([
    [
      'limits and planned quits',
      [
        { mode: 'reduce', dailyLimit: 2 },
        { mode: 'reduce', dailyLimit: 3 },
        { mode: 'track' },
        { mode: 'quit', quitAt: instant(firstDay + 1) },
        { mode: 'quit', quitAt: instant(firstDay + 3) },
      ],
    ],
    [
      'quits on the same day',
      [
        { mode: 'quit', quitAt: instant(firstDay) },
        { mode: 'quit', quitAt: instant(firstDay + 0.125) },
        { mode: 'quit', quitAt: instant(firstDay + 0.25) },
      ],
    ],
    [
      'quits on the last days',
      [0, -1, -2, -3].map((day): GoalInput => ({ mode: 'quit', quitAt: instant(firstDay + day) })),
    ],
    [
      'quits and plans that begin on the same day',
      [
        { mode: 'quit', quitAt: instant(firstDay) },
        {
          mode: 'reduce',
          plan: {
            product: 'vape',
            unit: 'puffs',
            baseline: 6,
            baselineSource: 'declared',
            target: 0,
            startDay: dayOf(firstDay),
            lengthDays: 7,
            curve: 'linear',
          },
        },
      ],
    ],
  ])('does not grow with 2,000 changes on one day: %s', (_what, inputs) => {
    const steps = Array.from({ length: 2_000 }, (_, index): Step => ({
      daysLater: 0,
      input: () => inputs[index % inputs.length] ?? { mode: 'track' },
      measuredDays: 7,
    }));
    let most = 0;
    let stored: StoredGoal[] = [];
    for (const step of steps) {
      stored = setGoal(stored, step, firstDay);
      most = Math.max(most, stored.length);
    }
    expect(most).toBeLessThanOrEqual(6);
  });
});

describe('goalSteps', () => {
  it('gives the limits of the whole history by limitOnDay', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        play(steps, (full) => {
          const rows = goalSteps(full);
          const days = Array.from({ length: 400 }, (_, index) => firstDay - 310 + index);
          expect(days.map((day) => limitOnDay(rows, day))).toEqual(
            days.map((day) => limitInForce(full, day)),
          );
        });
      }),
      { numRuns: 30 },
    );
  });

  it('removes only superseded rows', () => {
    const goal = (effectiveDay: number): Goal => ({
      mode: 'reduce',
      dailyLimit: effectiveDay,
      plan: null,
      baselineDays: null,
      quitAt: null,
      quitDay: null,
      setAt: 0,
      effectiveDay,
    });
    expect(compactGoals([1, 3, 2, 5, 5, 4].map(goal), 9).map(({ effectiveDay }) => effectiveDay)).toEqual([
      1, 2, 4,
    ]);
  });
});
