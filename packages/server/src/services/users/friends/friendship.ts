import type { Purpose, ShareLevel } from '@pufftrack/contract';
import { isProcessed } from '../accounts/user.ts';

/** One side of a friendship: what this person gives the other, and whether they want to be told. */
export interface Side {
  readonly person: string;
  readonly shareLevel: ShareLevel;
  readonly muted: boolean;
  /** ms; since when the level, the mute is what it is. */
  readonly levelSince: number;
  readonly mutedSince: number;
}

/** Two friends. `since` in ms. */
export interface Friendship {
  readonly sides: readonly [Side, Side];
  readonly since: number;
}

/** What decides, besides a friendship, what flows out of a person. Instants in ms. */
export interface Sharer {
  readonly consents: ReadonlySet<Purpose>;
  /** A rest from sharing, which may have run out; `until` null: until it is ended. */
  readonly ghost: { readonly until: number | null } | null;
  /** Since when consents and rests are what they are. */
  readonly sharesSince: number;
}

const levels: readonly ShareLevel[] = ['none', 'milestones', 'summary', 'live'];

export const isAtLeast = (level: ShareLevel, least: ShareLevel): boolean =>
  levels.indexOf(level) >= levels.indexOf(least);

/** Without these consents nothing of a person flows out, whatever levels they chose. */
export const mayShare = (sharer: Pick<Sharer, 'consents'>): boolean =>
  isProcessed(sharer) && sharer.consents.has('friends-sharing');

/** What a person gives at the moment: the level that they chose, or nothing while a consent is missing. */
export const levelInForce = (side: Side, sharer: Pick<Sharer, 'consents'>): ShareLevel =>
  mayShare(sharer) ? side.shareLevel : 'none';

/** Whether friends see the last summary that was shown to them, and hear of nothing. */
export const isResting = ({ ghost }: Pick<Sharer, 'ghost'>, now: number): boolean =>
  ghost !== null && (ghost.until === null || ghost.until > now);

/** Whether a person mutes `friendPuff` of all friends, and since when (ms) that is so. */
export interface MuteAll {
  readonly muteAll: boolean;
  readonly since: number;
}

/** Whether `viewer` is told of the sharer's puffs as they happen; `muteAll` of the viewer is absent if never set. */
export const isLive = (side: Side, sharer: Sharer, viewer: Side, now: number, muteAll?: MuteAll): boolean =>
  levelInForce(side, sharer) === 'live' &&
  !viewer.muted &&
  muteAll?.muteAll !== true &&
  !isResting(sharer, now);

/** Whether others see what the sharer has reached: not of somebody who rests, of whom nothing new is heard. */
export const showsMilestones = (side: Side, sharer: Sharer, now: number): boolean =>
  isAtLeast(levelInForce(side, sharer), 'milestones') && !isResting(sharer, now);

/**
 * Since when (ms) a viewer who is live now has been so without a break, so that whoever was shown a puff can be told of
 * its end. Never too early: a change of anything that decides begins it anew.
 */
export const liveSince = (
  friendship: Friendship,
  sharer: Sharer,
  viewer: string,
  muteAll?: MuteAll,
): number => {
  const { mine, theirs } = sidesFor(friendship, viewer);
  return Math.max(
    friendship.since,
    theirs.levelSince,
    mine.mutedSince,
    muteAll?.since ?? 0,
    sharer.sharesSince,
    sharer.ghost?.until ?? 0,
  );
};

/** A side with what its person changes of it; what stays the same keeps its time. */
export const changedSide = (
  side: Side,
  change: { readonly shareLevel?: ShareLevel | undefined; readonly muted?: boolean | undefined },
  now: number,
): Side => {
  const { shareLevel = side.shareLevel, muted = side.muted } = change;
  return {
    ...side,
    shareLevel,
    muted,
    levelSince: shareLevel === side.shareLevel ? side.levelSince : now,
    mutedSince: muted === side.muted ? side.mutedSince : now,
  };
};

export const newSide = (person: string, shareLevel: ShareLevel, now: number): Side => ({
  person,
  shareLevel,
  muted: false,
  levelSince: now,
  mutedSince: now,
});

/** The sides as `person` sees them. */
export const sidesFor = ({ sides }: Friendship, person: string): { mine: Side; theirs: Side } => {
  const [first, second] = sides;
  return first.person === person ? { mine: first, theirs: second } : { mine: second, theirs: first };
};

export const pairOf = (one: string, other: string): readonly [string, string] =>
  one < other ? [one, other] : [other, one];
