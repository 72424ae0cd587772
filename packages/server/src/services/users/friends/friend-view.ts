import type { Friend, FriendSummary } from '@pufftrack/contract';
import { isAtLeast, isResting, levelInForce, sidesFor, type Friendship } from '../sharing/friendship.ts';
import type { UserSettings } from '../accounts/user.ts';

/**
 * A friend as `viewer` may see them at `now` (ms): nothing beyond the share level in force. `summary` is the current one; in
 * ghost mode the last one before it is shown instead.
 */
export const viewFriend = (
  friendship: Friendship,
  viewer: string,
  friend: UserSettings,
  { summary, now }: { summary: FriendSummary | undefined; now: number },
): Friend => {
  const { mine, theirs } = sidesFor(friendship, viewer);
  const theirShareLevel = levelInForce(theirs, friend);
  const isSummaryShown = isAtLeast(theirShareLevel, 'summary');
  const resting = isResting(friend, now);
  const shown = resting ? friend.ghost?.summary : summary;
  return {
    userId: friend.userId,
    name: friend.name,
    since: new Date(friendship.since).toISOString(),
    shareLevel: mine.shareLevel,
    theirShareLevel,
    muted: mine.muted,
    summary: (isSummaryShown && shown) || null,
    ...(isSummaryShown && resting && { resting }),
  };
};
