import { describe, expect, it } from '@jest/globals';
import { purposes, type Purpose, type ShareLevel } from '@pufftrack/contract';
import {
  changedSide,
  isLive,
  levelInForce,
  liveSince,
  newSide,
  pairOf,
  sidesFor,
  type Side,
} from './friendship.ts';

const now = 1_000;
const side = (shareLevel: ShareLevel, muted = false): Side => ({ ...newSide('a', shareLevel, 0), muted });
const holding = (...missing: Purpose[]) => ({
  consents: new Set(purposes.filter((purpose) => !missing.includes(purpose))),
  ghost: null,
  sharesSince: 0,
});

describe('what a friend sees (domain.md D10)', () => {
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
    expect(isLive(side(level), holding(...missing), side('none', muted), now)).toBe(live);
  });
});

describe('a user in ghost mode', () => {
  it.each<[string, number | null, boolean]>([
    ['without an end', null, false],
    ['until later', now + 1, false],
    ['until now', now, true],
  ])('%s is live: %s', (_what, until, live) => {
    expect(isLive(side('live'), { ...holding(), ghost: { until } }, side('none'), now)).toBe(live);
  });
});

describe('since when a viewer is live without a break', () => {
  const friendship = (a: Partial<Side>, b: Partial<Side>) => ({
    since: 10,
    sides: [
      { ...newSide('a', 'live', 10), ...a },
      { ...newSide('b', 'live', 10), ...b },
    ] as const,
  });

  it.each<[string, Partial<Side>, Partial<Side>, Partial<ReturnType<typeof holding>>, number]>([
    ['the friendship', {}, {}, {}, 10],
    ['the level that is given', { levelSince: 20 }, {}, {}, 20],
    ['the level of the viewer, which decides nothing here', {}, { levelSince: 20 }, {}, 10],
    ['the mute of the viewer', {}, { mutedSince: 30 }, {}, 30],
    ['the mute of the sharer, which decides nothing here', { mutedSince: 30 }, {}, {}, 10],
    ['consents, or the end of ghost mode', {}, {}, { sharesSince: 40 }, 40],
  ])('moves with %s', (_what, a, b, sharer, since) => {
    expect(liveSince(friendship(a, b), { ...holding(), ...sharer }, 'b')).toBe(since);
  });

  it('moves with the expiry of ghost mode before the poller has ended it', () => {
    expect(liveSince(friendship({}, {}), { ...holding(), ghost: { until: 50 } }, 'b')).toBe(50);
  });

  it('moves with the mute of all friends, and delivery stops while it is on', () => {
    const friends = friendship({}, {});
    const [mine, theirs] = friends.sides;
    const muted = { muteAll: true, since: 50 };
    expect(isLive(mine, holding(), theirs, now, muted)).toBe(false);
    const unmuted = { muteAll: false, since: 60 };
    expect(isLive(mine, holding(), theirs, now, unmuted)).toBe(true);
    expect(liveSince(friends, holding(), 'b', unmuted)).toBe(60);
  });

  it('starts again with a change, and not with an equal value', () => {
    const before = newSide('a', 'live', 10);
    expect(changedSide(before, { shareLevel: 'live', muted: false }, 20)).toEqual(before);
    expect(changedSide(before, { muted: true }, 20)).toEqual({ ...before, muted: true, mutedSince: 20 });
    expect(changedSide(before, { shareLevel: 'none' }, 20)).toEqual({
      ...before,
      shareLevel: 'none',
      levelSince: 20,
    });
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
