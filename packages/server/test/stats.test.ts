import { describe, it } from '@jest/globals';
import { expectDaysToSumUp, expectStatsOfReference, expectOneDayForEachInstant } from './stats-properties.ts';

describe('stats of random histories with travel, clock changes, check-ins and goals', () => {
  it('equal a reference implementation', async () => {
    await expectStatsOfReference(200);
  });

  it('assign each instant to one day', () => {
    expectOneDayForEachInstant(2_000);
  });

  it('count each puff on exactly one day', () => {
    expectDaysToSumUp(100);
  });
});
