import type { Purpose, ShareLevel } from '@pufftrack/contract';
import { isGhostInForce } from '../accounts/user.ts';
import { mayShare } from '../consents/consent.ts';

/** One side of a friendship: what this user shares, and whether this user mutes the other. */
export interface Side {
  readonly person: string;
  readonly shareLevel: ShareLevel;
  readonly muted: boolean;
  /** ms; when the share level, the mute last changed. */
  readonly levelSince: number;
  readonly mutedSince: number;
}

/** Two friends. `since` in ms. */
export interface Friendship {
  readonly sides: readonly [Side, Side];
  readonly since: number;
}

/** What decides, besides the friendship, what friends see of a user. Instants in ms. */
export interface Sharer {
  readonly consents: ReadonlySet<Purpose>;
  /** Ghost mode, which may have expired; `until` null: until it is ended. */
  readonly ghost: { readonly until: number | null } | null;
  /** When consents or ghost mode last changed. */
  readonly sharesSince: number;
}

const levels: readonly ShareLevel[] = ['none', 'milestones', 'summary', 'live'];

export const isAtLeast = (level: ShareLevel, least: ShareLevel): boolean =>
  levels.indexOf(level) >= levels.indexOf(least);

/** The share level in force: the chosen one, or `none` while a consent is missing. */
export const levelInForce = (side: Side, sharer: Pick<Sharer, 'consents'>): ShareLevel =>
  mayShare(sharer) ? side.shareLevel : 'none';

/** Whether ghost mode is on: friends see the last summary before it and receive no events. */
export const isResting = ({ ghost }: Pick<Sharer, 'ghost'>, now: number): boolean =>
  isGhostInForce(ghost, now);

/** Whether a user mutes `friendPuff` of all friends, and when (ms) that last changed. */
export interface MuteAll {
  readonly muteAll: boolean;
  readonly since: number;
}

/** Whether `viewer` receives the sharer's puffs as they happen; `muteAll` of the viewer is absent if never set. */
export const isLive = (side: Side, sharer: Sharer, viewer: Side, now: number, muteAll?: MuteAll): boolean =>
  levelInForce(side, sharer) === 'live' &&
  !viewer.muted &&
  muteAll?.muteAll !== true &&
  !isResting(sharer, now);

/** Whether friends see the sharer's milestones: not in ghost mode. */
export const showsMilestones = (side: Side, sharer: Sharer, now: number): boolean =>
  isAtLeast(levelInForce(side, sharer), 'milestones') && !isResting(sharer, now);

/**
 * Since when (ms) a viewer who receives puffs now has received them without interruption, so that everyone who was shown a
 * puff gets its retraction. Never too early: each change of a condition starts it again.
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

/** The side after a change; a value that stays the same keeps its time. */
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

/** The two sides from the view of `person`. */
export const sidesFor = ({ sides }: Friendship, person: string): { mine: Side; theirs: Side } => {
  const [first, second] = sides;
  return first.person === person ? { mine: first, theirs: second } : { mine: second, theirs: first };
};

export const pairOf = (one: string, other: string): readonly [string, string] =>
  one < other ? [one, other] : [other, one];
