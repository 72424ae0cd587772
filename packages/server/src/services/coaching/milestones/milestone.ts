import type { CheerKind } from '@pufftrack/contract';
import { dayMs } from '../../../domain/durations.ts';
import { isAwardedFor, type ReachedMilestone } from './milestone-rules.ts';

/** How long friends see a milestone. */
export const shownToFriendsMs = 30 * dayMs;
/** The same milestone of a new run is awarded without a notification within this time. */
const quietForMs = 30 * dayMs;

/** A milestone that a user has. Instants in ms. */
export interface AwardedMilestone extends ReachedMilestone {
  readonly id: string;
  readonly userId: string;
  /** Of the rule that it was awarded by. */
  readonly version: number;
  readonly awardedAt: number;
}

/** A cheer that counts. */
export interface Cheer {
  readonly milestoneId: string;
  readonly owner: string;
  readonly sender: string;
  readonly kind: CheerKind;
}

/** The latest milestone of each user, kind and length; the order stays. */
export const latestOfEach = (milestones: readonly AwardedMilestone[]): AwardedMilestone[] => {
  const latest = new Map<string, AwardedMilestone>();
  for (const milestone of milestones) {
    const key = `${milestone.userId} ${milestone.kind} ${milestone.days}`;
    const known = latest.get(key);
    if (!known || known.to < milestone.to) latest.set(key, milestone);
  }
  const kept = new Set(latest.values());
  return milestones.filter((milestone) => kept.has(milestone));
};

/** The reached milestones that are not among the awarded ones: another worker may have awarded some already. */
export const notYetAwarded = (
  reached: readonly ReachedMilestone[],
  awarded: readonly AwardedMilestone[],
): ReachedMilestone[] => reached.filter((one) => !isAwardedFor(one, one.days, awarded));

/**
 * Whether a user is notified of a milestone that is awarded together with `fresh`: only of the longest of its kind, not
 * of days that ended before yesterday, and not if the same milestone was awarded for another run in the last 30 days.
 * Breaking a run and starting over must not bring more praise.
 *
 * @param through the last day that counted.
 */
export const shouldNotify = (
  { kind, days, to }: ReachedMilestone,
  context: {
    fresh: readonly ReachedMilestone[];
    awarded: readonly AwardedMilestone[];
    through: number;
    now: number;
  },
): boolean => {
  const { fresh, awarded, through, now } = context;
  const isLongest = !fresh.some((other) => other.kind === kind && other.days > days);
  const isRecent = to >= through - 1;
  const isRepeated = awarded.some(
    (one) => one.kind === kind && one.days === days && one.awardedAt > now - quietForMs,
  );
  return isLongest && isRecent && !isRepeated;
};
