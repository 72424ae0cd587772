import { describe, expect, it } from '@jest/globals';
import { isFrozen, measuredBaseline } from './baseline.ts';

describe('a measured baseline (domain.md D7)', () => {
  it.each<[number[], ReturnType<typeof measuredBaseline>]>([
    [[10, 10, 10, 10], undefined],
    [[10, 12, 9, 30, 11], { baseline: 11, days: 5 }],
    [[10, 12, 9, 30, 11, 12], { baseline: 11.5, days: 6 }],
    [[10, 12, 9, 30, 11, 10, 12, 99, 99], { baseline: 11, days: 7 }],
    [[0, 0, 0, 0, 0], { baseline: 0, days: 5 }],
  ])('of %j is %j', (counts, baseline) => {
    expect(measuredBaseline(counts)).toEqual(baseline);
  });

  it('is frozen by its seventh day', () => {
    expect([5, 6, 7, null].map(isFrozen)).toEqual([false, false, true, false]);
  });
});
