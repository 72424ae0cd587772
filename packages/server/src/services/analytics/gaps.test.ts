import { describe, expect, it } from '@jest/globals';
import { longestGapSeconds } from './gaps.ts';

const hour = 3_600_000;

describe('the longest gap of a day', () => {
  it.each([
    [[], 10 * hour, undefined],
    [[6 * hour], 6 * hour, 0],
    [[6 * hour, 9 * hour], 10 * hour, 10_800],
    [[6 * hour, 9 * hour], 14 * hour, 18_000],
    [[6 * hour, 6 * hour], 6 * hour + 1_999, 1],
  ])('of %j at %i is %p', (instants, now, seconds) => {
    expect(longestGapSeconds(instants, now)).toBe(seconds);
  });
});
