import { isDeepStrictEqual } from 'node:util';
import type { Friend } from '@pufftrack/contract';
import type { FriendConnectionStore } from './friend-connection-store.ts';
import type { Friendship } from './friendship.ts';

/** Each further look is for one more change of the same friendship in the same moment; who makes it tells of it too. */
const maxLooks = 4;

/**
 * Tells the phones of `viewer` how they stand with a friend at this moment. To build what is told takes questions, and
 * meanwhile another call, in any process, may have lowered the level or ended the friendship, and told of that: so the
 * friendship is looked at once more before it is told. Of one that has ended nothing is told.
 */
export const createFriendUpdates =
  (deps: {
    connections: Pick<FriendConnectionStore, 'find'>;
    view: (friendship: Friendship, viewer: string) => Promise<Friend>;
    updated: (to: string, friend: Friend, exceptSession?: string) => void;
  }) =>
  async (viewer: string, friendId: string, exceptSession?: string): Promise<void> => {
    const find = () => deps.connections.find(viewer, friendId);
    let friendship = await find();
    for (let looks = 0; friendship && looks < maxLooks; looks++) {
      const friend = await deps.view(friendship, viewer);
      const now = await find();
      if (isDeepStrictEqual(now, friendship)) {
        deps.updated(viewer, friend, exceptSession);
        return;
      }
      friendship = now;
    }
  };
