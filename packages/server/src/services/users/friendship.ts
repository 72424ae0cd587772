import type { Purpose, ShareLevel } from '@pufftrack/contract';

/** One side of a friendship: what this person gives the other, and whether they want to be told. */
export interface Side {
  readonly person: string;
  readonly shareLevel: ShareLevel;
  readonly muted: boolean;
}

/** Two friends. `since` in ms. */
export interface Friendship {
  readonly sides: readonly [Side, Side];
  readonly since: number;
}

interface Sharer {
  readonly consents: ReadonlySet<Purpose>;
}

const levels: readonly ShareLevel[] = ['none', 'milestones', 'summary', 'live'];
/** Without any of these nothing of a person flows out, whatever levels they chose. */
const outflow: readonly Purpose[] = ['terms', 'health-processing', 'friends-sharing'];

export const isAtLeast = (level: ShareLevel, least: ShareLevel): boolean =>
  levels.indexOf(level) >= levels.indexOf(least);

/** What a person gives at the moment: the level that they chose, or nothing while a consent is missing. */
export const levelInForce = (side: Side, sharer: Sharer): ShareLevel =>
  outflow.every((purpose) => sharer.consents.has(purpose)) ? side.shareLevel : 'none';

/** Whether `viewer` is told of the sharer's puffs as they happen. */
export const isLive = (side: Side, sharer: Sharer, viewer: Side): boolean =>
  levelInForce(side, sharer) === 'live' && !viewer.muted;

/** The sides as `person` sees them. */
export const sidesFor = ({ sides }: Friendship, person: string): { mine: Side; theirs: Side } => {
  const [first, second] = sides;
  return first.person === person ? { mine: first, theirs: second } : { mine: second, theirs: first };
};

export const pairOf = (one: string, other: string): readonly [string, string] =>
  one < other ? [one, other] : [other, one];
