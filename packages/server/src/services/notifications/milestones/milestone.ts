import type { CheerKind } from '@pufftrack/contract';
import { DomainError } from '../../../platform/edge/errors.ts';
import { isGivenFor, type Given, type Reached } from '../../analytics/index.ts';

const dayMs = 86_400_000;
/** How long friends see a milestone. */
export const shownToFriendsMs = 30 * dayMs;
/** The same milestone in a new run within this time is given without a word. */
const quietForMs = 30 * dayMs;
/** In 24 hours; a cheer is a small thing, and a hundred of them are noise. */
export const maxCheersPerDay = 30;

/** A milestone that was given. Instants in ms. */
export interface GivenMilestone extends Given {
  readonly userId: string;
  /** Of the rule. */
  readonly version: number;
  readonly awardedAt: number;
}

export interface Cheer {
  readonly milestoneId: string;
  readonly owner: string;
  readonly sender: string;
  readonly kind: CheerKind;
}

/** Of each kind and length the one that was reached last; the order stays. */
export const newestOfEach = <Milestone extends GivenMilestone>(
  milestones: readonly Milestone[],
): Milestone[] => {
  const newest = new Map<string, Milestone>();
  for (const milestone of milestones) {
    const key = `${milestone.userId} ${milestone.kind} ${milestone.days}`;
    const known = newest.get(key);
    if (!known || known.to < milestone.to) newest.set(key, milestone);
  }
  return milestones.filter((milestone) => [...newest.values()].includes(milestone));
};

/** What of the reached has still to be given, beside what is held: another worker may have been first. */
export const stillToGive = (reached: readonly Reached[], held: readonly GivenMilestone[]): Reached[] =>
  reached.filter((one) => !isGivenFor(one, one.days, held));

/**
 * What a person is told of the milestones that they are given together: of each kind the longest alone. Nothing of days
 * that were over long before, and nothing of what they were given for another run a short time ago: breaking off and
 * beginning anew is no way to be praised more often.
 *
 * @param through the last day that is over.
 */
export const worthTelling = <One extends Reached>(
  fresh: readonly One[],
  { held, through, now }: { held: readonly GivenMilestone[]; through: number; now: number },
): One[] =>
  fresh.filter(
    ({ kind, days, to }) =>
      to >= through - 1 &&
      !fresh.some((other) => other.kind === kind && other.days > days) &&
      !held.some((one) => one.kind === kind && one.days === days && one.awardedAt > now - quietForMs),
  );

/** When each of the last cheers of a sender was (ms), with one more. Throws `rate-limited`. */
export const withOneMoreCheer = (sentAt: readonly number[], now: number): number[] => {
  const recent = sentAt.filter((at) => at > now - dayMs);
  const [oldest] = recent;
  if (oldest !== undefined && recent.length >= maxCheersPerDay)
    throw new DomainError('rate-limited', {
      detail: `${maxCheersPerDay} cheers in 24 hours are enough.`,
      retryAfterSeconds: Math.max(1, Math.ceil((oldest + dayMs - now) / 1_000)),
    });
  return [...recent, now];
};
