import { describe, expect, it } from '@jest/globals';
import { purposes, type Purpose, type ShareLevel } from '@pufftrack/contract';
import { isLive, levelInForce, pairOf, sidesFor, type Side } from './friendship.ts';

const side = (shareLevel: ShareLevel, muted = false): Side => ({ person: 'a', shareLevel, muted });
const holding = (...missing: Purpose[]) => ({
  consents: new Set(purposes.filter((purpose) => !missing.includes(purpose))),
});

describe('what flows out to a friend (domain.md D10)', () => {
  it.each<[ShareLevel, boolean, Purpose[], ShareLevel, boolean]>([
    // level, the viewer muted, consents missing -> in force, live
    ['none', false, [], 'none', false],
    ['milestones', false, [], 'milestones', false],
    ['summary', false, [], 'summary', false],
    ['live', false, [], 'live', true],
    ['live', true, [], 'live', false],
    ['live', false, ['friends-sharing'], 'none', false],
    ['live', false, ['health-processing'], 'none', false],
    ['live', false, ['terms'], 'none', false],
    ['live', false, ['leaderboard', 'push', 'insights'], 'live', true],
    ['summary', true, ['friends-sharing'], 'none', false],
  ])('at %s, muted %s, without %j: %s, live %s', (level, muted, missing, inForce, live) => {
    expect(levelInForce(side(level), holding(...missing))).toBe(inForce);
    expect(isLive(side(level), holding(...missing), side('none', muted))).toBe(live);
  });
});

describe('a friendship', () => {
  it('is the same pair from both ends', () => {
    expect(pairOf('b', 'a')).toEqual(pairOf('a', 'b'));
  });

  it('has a side for each', () => {
    const [a, b] = [side('live'), { ...side('none'), person: 'b' }];
    const friendship = { sides: [a, b] as const, since: 0 };
    expect(sidesFor(friendship, 'a')).toEqual({ mine: a, theirs: b });
    expect(sidesFor(friendship, 'b')).toEqual({ mine: b, theirs: a });
  });
});
