import { isDeepStrictEqual } from 'node:util';
import type { Friend } from '@pufftrack/contract';
import type { FriendConnectionStore } from '../sharing/friend-connection-store.ts';
import type { Friendship } from '../sharing/friendship.ts';

/** Each retry follows a concurrent change of the same friendship, and that change sends an update of its own. */
const maxAttempts = 4;

/**
 * Sends the current state of a friend to the sockets of `viewer`. Building it takes queries, and meanwhile another call, in
 * any process, may have lowered the share level or ended the friendship and sent that. So the friendship is read once more
 * before the update is sent. For a friendship that has ended nothing is sent.
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
    for (let attempt = 0; friendship && attempt < maxAttempts; attempt++) {
      const friend = await deps.view(friendship, viewer);
      const current = await find();
      if (isDeepStrictEqual(current, friendship)) {
        deps.updated(viewer, friend, exceptSession);
        return;
      }
      friendship = current;
    }
  };
