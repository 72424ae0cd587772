import type { Friend, FriendSummary } from '@pufftrack/contract';
import { isAtLeast, isResting, levelInForce, sidesFor, type Friendship } from './friendship.ts';
import type { PersonSettings } from '../accounts/user.ts';

/**
 * A friend as `viewer` may see them at `now` (ms): nothing beyond the level that they give at the moment. `summary` is
 * that of now, which is not shown of somebody who rests: then the last one that was stands there.
 */
export const viewFriend = (
  friendship: Friendship,
  viewer: string,
  friend: PersonSettings,
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
