import type { Friend, FriendSummary } from '@pufftrack/contract';
import { isAtLeast, levelInForce, sidesFor, type Friendship } from './friendship.ts';
import type { PersonSettings } from './user.ts';

/** A friend as `viewer` may see them: nothing beyond the level that they give at the moment. */
export const viewFriend = (
  friendship: Friendship,
  viewer: string,
  friend: PersonSettings,
  summary: FriendSummary | undefined,
): Friend => {
  const { mine, theirs } = sidesFor(friendship, viewer);
  const theirShareLevel = levelInForce(theirs, friend);
  return {
    userId: friend.userId,
    name: friend.name,
    since: new Date(friendship.since).toISOString(),
    shareLevel: mine.shareLevel,
    theirShareLevel,
    muted: mine.muted,
    summary: isAtLeast(theirShareLevel, 'summary') && summary ? summary : null,
  };
};
