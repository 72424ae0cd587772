import { describe, it } from '@jest/globals';
import {
  expectDaysToSumUp,
  expectFiguresOfReference,
  expectOneDayForEachInstant,
} from './stats-properties.ts';

describe('stats of random lives, with zones, travel, clock changes, check-ins and goals', () => {
  it('equal a naive reference', async () => {
    await expectFiguresOfReference(200);
  });

  it('give each instant one day', () => {
    expectOneDayForEachInstant(2_000);
  });

  it('count each puff on exactly one day', () => {
    expectDaysToSumUp(100);
  });
});
