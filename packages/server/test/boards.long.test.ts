import { describe, it } from '@jest/globals';
import { expectMorePuffsNeverToHelp, expectRanksOfDefinition } from './board-properties.ts';
import { expectLateEditsNeverToHelp } from './late-edit-properties.ts';

describe('boards of 100,000 random people', () => {
  it('never reward more puffs', () => {
    expectMorePuffsNeverToHelp(100_000);
  });

  it('never reward late edits, deletions and restores', () => {
    expectLateEditsNeverToHelp(50_000);
  });

  it('rank by the number of better values', () => {
    expectRanksOfDefinition(20_000);
  });
});
