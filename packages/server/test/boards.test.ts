import { describe, it } from '@jest/globals';
import { expectMorePuffsNeverToHelp, expectRanksOfDefinition } from './board-properties.ts';

describe('boards of random people', () => {
  it('never reward more puffs', () => {
    expectMorePuffsNeverToHelp(2_000);
  });

  it('rank by how many are better', () => {
    expectRanksOfDefinition(500);
  });
});
