import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { taperLimit, type TaperPlan } from './taper.ts';

type Curve = Pick<TaperPlan, 'baseline' | 'target' | 'lengthDays' | 'curve'>;
const plan = (parts: Curve): Omit<TaperPlan, 'startDay'> => ({
  product: 'vape',
  unit: 'puffs',
  baselineSource: 'declared',
  ...parts,
});

const anyPlan = fc
  .record({
    halves: fc.integer({ min: 1, max: 10_000 }),
    targetShare: fc.double({ min: 0, max: 1, noNaN: true }),
    lengthDays: fc.integer({ min: 7, max: 365 }),
    curve: fc.constantFrom('linear' as const, 'step7' as const, 'exponential' as const),
  })
  .map(({ halves, targetShare, ...rest }) =>
    plan({ ...rest, baseline: halves / 2, target: Math.floor((halves / 2) * targetShare) }),
  );

describe('a taper (domain.md D7)', () => {
  it.each<[Curve, number[], number[]]>([
    [
      { baseline: 200, target: 0, lengthDays: 28, curve: 'linear' },
      [0, 1, 7, 14, 21, 27, 28],
      [200, 193, 150, 100, 50, 8, 0],
    ],
    [{ baseline: 30, target: 0, lengthDays: 20, curve: 'linear' }, [1, 2, 10, 19], [29, 27, 15, 2]],
    [
      { baseline: 200, target: 0, lengthDays: 28, curve: 'exponential' },
      [7, 14, 21, 27, 28],
      [45, 10, 3, 1, 0],
    ],
    [
      { baseline: 200, target: 0, lengthDays: 30, curve: 'step7' },
      [0, 6, 7, 13, 28, 29, 30],
      [200, 200, 154, 154, 14, 14, 0],
    ],
    [{ baseline: 40, target: 10, lengthDays: 10, curve: 'exponential' }, [0, 5, 10, 11], [40, 20, 10, 10]],
  ])('%j on days %j is %j', (parts, days, limits) => {
    expect(days.map((day) => taperLimit(plan(parts), day))).toEqual(limits);
  });

  it('never rises, ends on the target exactly and stays there', () => {
    fc.assert(
      fc.property(anyPlan, (any) => {
        const limits = Array.from({ length: any.lengthDays + 3 }, (_, day) => taperLimit(any, day));
        expect(limits.every(Number.isInteger)).toBe(true);
        expect(limits).toEqual([...limits].sort((a, b) => b - a));
        expect(limits[0]).toBe(Math.ceil(any.baseline));
        expect(limits.slice(any.lengthDays)).toEqual([any.target, any.target, any.target]);
      }),
    );
  });
});
