import { describe, it } from '@jest/globals';
import { expectDaysToSumUp, expectStatsOfReference, expectOneDayForEachInstant } from './stats-properties.ts';

describe('stats of 10,000 random histories', () => {
  it('equal a reference implementation', async () => {
    await expectStatsOfReference(10_000);
  });

  it('assign each instant to one day', () => {
    expectOneDayForEachInstant(100_000);
  });

  it('count each puff on exactly one day', () => {
    expectDaysToSumUp(1_000);
  });
});
