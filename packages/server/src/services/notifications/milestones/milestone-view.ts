import type { CheerKind, FriendMilestone, Milestone } from '@pufftrack/contract';
import { dayOf } from '../../puffs/index.ts';
import type { Cheer, GivenMilestone } from './milestone.ts';
import type { Named } from '../inbox/notification-event.ts';

/** One's own, with how many friends cheered. */
export const viewMilestone = (milestone: GivenMilestone, cheers: readonly Cheer[]): Milestone => {
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

/** A friend's. The time at which it was given would tell their zone, so there is a day and no time (D10). */
export const viewFriendMilestone = (
  milestone: GivenMilestone,
  friend: Named,
  mine: readonly Cheer[],
): FriendMilestone => ({
  id: milestone.id,
  friend: { userId: friend.userId, name: friend.name },
  kind: milestone.kind,
  days: milestone.days,
  reachedOn: dayOf(milestone.to),
  myCheers: mine.map(({ kind }) => kind),
});
