import type { CheerKind, FriendMilestone, Milestone } from '@pufftrack/contract';
import { dayOf } from '../../../domain/local-day.ts';
import type { MilestoneUser } from '../ports.ts';
import type { AwardedMilestone, Cheer } from './milestone.ts';

/** The owner's view, with the number of cheers of each kind. */
export const viewMilestone = (milestone: AwardedMilestone, cheers: readonly Cheer[]): Milestone => {
  const counts = new Map<CheerKind, number>();
  for (const { kind } of cheers) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return {
    id: milestone.id,
    kind: milestone.kind,
    days: milestone.days,
    version: milestone.version,
    awardedAt: new Date(milestone.awardedAt).toISOString(),
    evidence: { from: dayOf(milestone.from), to: dayOf(milestone.to) },
    cheers: [...counts].map(([kind, count]) => ({ kind, count })),
  };
};

/** A friend's view: a day and no time, because the time of the award would reveal the owner's zone (domain.md D10). */
export const viewFriendMilestone = (
  milestone: AwardedMilestone,
  friend: Pick<MilestoneUser, 'userId' | 'name'>,
  sent: readonly Cheer[],
): FriendMilestone => ({
  id: milestone.id,
  friend: { userId: friend.userId, name: friend.name },
  kind: milestone.kind,
  days: milestone.days,
  reachedOn: dayOf(milestone.to),
  myCheers: sent.map(({ kind }) => kind),
});
