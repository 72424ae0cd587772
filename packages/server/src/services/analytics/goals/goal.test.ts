import { describe, expect, it } from '@jest/globals';
import type { GoalInput, PlanInput } from '@pufftrack/contract';
import fc from 'fast-check';
import { dayOf } from '../../../domain/local-day.ts';
import { goalRows, isSameGoal, newGoal, type GoalContext } from './goal.ts';
import { goalInForce, limitInForce, type Goal } from './goal-history.ts';

const dayMs = 86_400_000;
const dayAt = (instant: number) => Math.floor(instant / dayMs);
/** Sets goals one after the other, each at noon UTC of its day. */
const setting = (...steps: [day: number, input: GoalInput][]): Goal[] =>
  steps.reduce<Goal[]>((earlier, [day, input]) => [...earlier, ...rowsOn(day, input, earlier)], []);
const rowsOn = (day: number, input: GoalInput, earlier: readonly Goal[]): Goal[] =>
  goalRows(input, { earlier, now: (day + 0.5) * dayMs, dayAt, measured: undefined });
const goalOn = (day: number, input: GoalInput, context: Partial<GoalContext> = {}): Goal =>
  newGoal(input, { earlier: [], now: (day + 0.5) * dayMs, dayAt, measured: undefined, ...context });
const instant = (day: number) => new Date((day + 0.25) * dayMs).toISOString();
const reduce = (dailyLimit: number | null): GoalInput => ({ mode: 'reduce', dailyLimit });
const limits = (goals: readonly Goal[], from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => limitInForce(goals, from + index));
const plan = (parts: Partial<PlanInput> = {}): PlanInput => ({
  product: 'vape',
  unit: 'puffs',
  baseline: 70,
  baselineSource: 'declared',
  target: 0,
  startDay: dayOf(20_000),
  lengthDays: 7,
  curve: 'linear',
  ...parts,
});

describe('the limit in force (domain.md D7)', () => {
  const today = 20_000;

  it('counts from today where it is the first', () => {
    expect(limits(setting([today, reduce(10)]), today - 1, today + 1)).toEqual([null, 10, 10]);
  });

  it('counts from today where it is lower, from tomorrow where it is higher or none', () => {
    const goals = setting(
      [today, reduce(10)],
      [today + 1, reduce(12)],
      [today + 3, reduce(5)],
      [today + 5, { mode: 'track' }],
      [today + 8, reduce(30)],
    );
    expect(limits(goals, today, today + 9)).toEqual([10, 10, 12, 5, 5, 5, null, null, 30, 30]);
  });

  it('is the last one set on a day', () => {
    const goals = setting([today, reduce(10)], [today, reduce(20)], [today, reduce(15)], [today, reduce(4)]);
    expect(limits(goals, today, today + 1)).toEqual([4, 4]);
  });

  it('is 0 from the day of a quit, at once or as planned', () => {
    expect(limits(setting([today, { mode: 'quit' }]), today - 1, today)).toEqual([null, 0]);
    const goals = setting([today, reduce(10)], [today, { mode: 'quit', quitAt: instant(today + 2) }]);
    expect(limits(goals, today, today + 3)).toEqual([10, 10, 0, 0]);
    expect(goalInForce(goals, today + 1)?.mode).toBe('reduce');
  });

  it('reaches back to a quit of long ago, but not over days that had a limit', () => {
    const back: GoalInput = { mode: 'quit', quitAt: instant(today - 300) };
    expect(limits(setting([today, back]), today - 301, today - 299)).toEqual([null, 0, 0]);
    const goals = setting([today - 2, reduce(10)], [today, back]);
    expect(limits(goals, today - 3, today)).toEqual([null, 10, 10, 0]);
  });

  it('follows a plan, and what held before it until it begins', () => {
    const planned: GoalInput = { mode: 'reduce', plan: plan({ startDay: dayOf(today + 2) }) };
    const goals = setting([today, reduce(90)], [today, planned]);
    expect(limits(goals, today, today + 10)).toEqual([90, 90, 70, 60, 50, 40, 30, 20, 10, 0, 0]);
    const own = setting([today, { ...planned, dailyLimit: 80 }]);
    expect(limits(own, today, today + 3)).toEqual([80, 80, 70, 60]);
  });

  const quitOn = (day: number, dailyLimit: number | null = null): GoalInput => ({
    mode: 'quit',
    dailyLimit,
    quitAt: instant(day),
  });
  const startOn = (day: number, dailyLimit: number | null = null): GoalInput => ({
    mode: 'reduce',
    dailyLimit,
    plan: plan({ startDay: dayOf(day) }),
  });

  it.each<[string, [number, GoalInput][], (number | null)[]]>([
    ['with nothing before it', [[0, quitOn(today + 2)]], [null, null, null, null, null, null, 0]],
    [
      'with a limit before it',
      [
        [0, reduce(10)],
        [0, quitOn(today + 2)],
      ],
      [10, 10, 10, 10, 10, 10, 0],
    ],
    ['with a limit of its own', [[0, quitOn(today + 2, 10)]], [10, 10, 10, 10, 10, 10, 0]],
    [
      'with a plan that was to begin',
      [
        [0, reduce(10)],
        [0, startOn(today + 3)],
      ],
      [10, 10, 10, 10, 10, 10, 0],
    ],
    [
      'with a plan that was to begin and a limit until then',
      [[0, startOn(today + 3, 80)]],
      [80, 80, 80, 80, 80, 80, 0],
    ],
    [
      'with a higher limit that waits for tomorrow',
      [
        [0, reduce(10)],
        [0, quitOn(today + 2)],
        [1, reduce(12)],
        [1, quitOn(today + 3)],
      ],
      [10, 10, 12, 12, 12, 12, 0],
    ],
    [
      'with one that was put off before',
      [
        [0, reduce(10)],
        [0, quitOn(today + 2)],
        [1, quitOn(today + 4)],
      ],
      [10, 10, 10, 10, 10, 10, 0],
    ],
  ])('cancels a pending goal for a postponed quit: %s', (_what, steps, expected) => {
    const earlier = steps.map(([after, input]): [number, GoalInput] => [today + after, input]);
    const goals = setting(...earlier, [today + 1, quitOn(today + 6)]);
    expect(limits(goals, today, today + 6)).toEqual(expected);
    expect(goalInForce(goals, today + 5)?.quitAt ?? null).toBeNull();
  });

  it('keeps a plan that has begun until the postponed quit', () => {
    const goals = setting(
      [today, { ...startOn(today - 1), mode: 'quit', quitAt: instant(today + 2) }],
      [today + 1, quitOn(today + 5)],
    );
    expect(limits(goals, today, today + 5)).toEqual([60, 50, 40, 30, 20, 0]);
  });

  it('never changes on a day that is over', () => {
    const step = fc.record({
      after: fc.integer({ min: 0, max: 5 }),
      input: fc.oneof(
        fc.option(fc.integer({ min: 0, max: 20 })).map(reduce),
        fc
          .integer({ min: 0, max: 4 })
          .map((ahead): GoalInput => ({ mode: 'reduce', plan: plan({ startDay: dayOf(today + ahead) }) })),
        fc.constant<GoalInput>({ mode: 'quit' }),
      ),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        let day = today;
        let goals: Goal[] = [];
        for (const { after, input } of steps) {
          day += after;
          const before = limits(goals, today, day - 1);
          goals = [...goals, ...rowsOn(day, input, goals)];
          expect(limits(goals, today, day - 1)).toEqual(before);
        }
      }),
    );
  });
});

describe('newGoal', () => {
  const today = 20_000;

  it.each<[string, GoalInput, string]>([
    ['a quit in another mode', { mode: 'reduce', quitAt: instant(today) }, 'quitAt'],
    ['a quit of 11 years ago', { mode: 'quit', quitAt: instant(today - 11 * 366) }, 'quitAt'],
    ['a quit in two years', { mode: 'quit', quitAt: instant(today + 2 * 366) }, 'quitAt'],
    ['a plan in mode track', { mode: 'track', plan: plan() }, 'plan'],
    ['a plan of another year', { mode: 'reduce', plan: plan({ startDay: '2020-01-01' }) }, 'plan.startDay'],
    ['a target above the baseline', { mode: 'reduce', plan: plan({ target: 71 }) }, 'plan.target'],
    [
      'a declared baseline that is missing',
      { mode: 'reduce', plan: plan({ baseline: undefined }) },
      'plan.baseline',
    ],
    [
      'a baseline that cannot be measured yet',
      { mode: 'reduce', plan: plan({ baselineSource: 'measured' }) },
      'plan.baselineSource',
    ],
  ])('rejects %s', (_what, input, path) => {
    expect(() => goalOn(today, input)).toThrow(
      expect.objectContaining({
        code: 'invalid',
        details: expect.objectContaining({ errors: [expect.objectContaining({ path })] }),
      }),
    );
  });

  it('takes the measured baseline, and keeps one that is frozen', () => {
    const measured: GoalInput = { mode: 'reduce', plan: plan({ baselineSource: 'measured', baseline: 5 }) };
    const early = goalOn(today, measured, { measured: { baseline: 30, days: 6 } });
    expect(early.plan?.baseline).toBe(30);
    const frozen = goalOn(today, measured, { earlier: [early], measured: { baseline: 40, days: 7 } });
    expect(frozen.plan?.baseline).toBe(40);
    const later = goalOn(today, measured, { earlier: [early, frozen], measured: { baseline: 50, days: 7 } });
    expect(later.plan?.baseline).toBe(40);
  });

  it('keeps the instant of a quit that is set again without one', () => {
    const first = goalOn(today, { mode: 'quit', quitAt: instant(today - 5) });
    const again = goalOn(today + 1, { mode: 'quit' }, { earlier: [first] });
    expect(again.quitAt).toBe(first.quitAt);
    expect(isSameGoal(again, first)).toBe(true);
    expect(isSameGoal(goalOn(today + 1, { mode: 'quit', quitAt: null }, { earlier: [first] }), first)).toBe(
      false,
    );
  });
});
