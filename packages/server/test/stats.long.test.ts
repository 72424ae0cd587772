import { describe, it } from '@jest/globals';
import {
  expectDaysToSumUp,
  expectFiguresOfReference,
  expectOneDayForEachInstant,
} from './stats-properties.ts';

describe('stats of 10,000 random lives', () => {
  it('equal a naive reference', async () => {
    await expectFiguresOfReference(10_000);
  });

  it('give each instant one day', () => {
    expectOneDayForEachInstant(100_000);
  });

  it('count each puff on exactly one day', () => {
    expectDaysToSumUp(1_000);
  });
});
