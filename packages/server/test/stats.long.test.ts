import { describe, it } from '@jest/globals';
import { expectDaysToSumUp, expectFiguresOfReference } from './stats-properties.ts';

describe('stats of 10,000 random lives', () => {
  it('equal a naive reference', () => {
    expectFiguresOfReference(10_000);
  });

  it('count each puff on exactly one day', () => {
    expectDaysToSumUp(10_000);
  });
});
