import type { Friend, FriendSummary } from '@pufftrack/contract';
import { DomainError } from '../../platform/errors.ts';
import type { FriendConnectionStore, SideChange } from './friend-connection-store.ts';
import { isAtLeast, isLive, levelInForce, sidesFor, type Friendship } from './friendship.ts';
import { viewFriend } from './friend-view.ts';
import type { People } from './people.ts';
import type { PersonSettings } from './user.ts';

/** Tells open sockets; notifications gives it. */
export interface FriendLive {
  /** From now on `viewerId` is told of the puffs of `userId`, or no longer. */
  audienceChanged(change: { userId: string; viewerId: string; live: boolean }): void;
  friendUpdated(to: string, friend: Friend): void;
  friendRemoved(to: string, friendId: string): void;
}

export interface FriendService {
  list(userId: string): Promise<Friend[]>;
  /** Throws `not-found` where they are no friends. */
  change(userId: string, friendId: string, change: SideChange): Promise<Friend>;
  remove(userId: string, friendId: string): Promise<void>;
  /** Tells both sides of friendships that have ended. */
  announceEnd(userId: string, friendIds: readonly string[]): void;
  /** One friend as `viewer` sees them now. */
  view(friendship: Friendship, viewer: string): Promise<Friend>;
  /** Moves the sockets of both to where this friendship puts them. */
  settleRooms(friendship: Friendship): Promise<void>;
  /** A person's consents changed: what flows out to each friend may have. */
  consentsChanged(before: PersonSettings, after: PersonSettings): Promise<void>;
  liveFriendsOf(viewer: string): Promise<string[]>;
  boardFriendsOf(viewer: string): Promise<string[]>;
}

export const createFriendService = (deps: {
  store: FriendConnectionStore;
  people: People;
  live: FriendLive;
  summaries: (people: readonly PersonSettings[]) => Promise<ReadonlyMap<string, FriendSummary>>;
}): FriendService => {
  const { store, people, live, summaries } = deps;

  /** The friends of `viewer` with their settings, in two queries whatever their number. */
  const friendsWithSettings = async (viewer: string) => {
    const friendships = await store.list(viewer);
    const settings = await people.settingsOfMany(
      friendships.map((friendship) => sidesFor(friendship, viewer).theirs.person),
    );
    return friendships.flatMap((friendship) => {
      const { mine, theirs } = sidesFor(friendship, viewer);
      const friend = settings.get(theirs.person);
      return friend ? [{ friendship, mine, theirs, friend }] : [];
    });
  };

  const viewAll = async (
    viewer: string,
    friends: readonly { friendship: Friendship; friend: PersonSettings }[],
  ): Promise<Friend[]> => {
    const sharing = friends.filter(({ friendship, friend }) =>
      isAtLeast(levelInForce(sidesFor(friendship, viewer).theirs, friend), 'summary'),
    );
    const known = await summaries(sharing.map(({ friend }) => friend));
    return friends.map(({ friendship, friend }) =>
      viewFriend(friendship, viewer, friend, known.get(friend.userId)),
    );
  };

  const view = async (friendship: Friendship, viewer: string): Promise<Friend> => {
    const { theirs } = sidesFor(friendship, viewer);
    const friend = (await people.settingsOfMany([theirs.person])).get(theirs.person);
    const [seen] = friend ? await viewAll(viewer, [{ friendship, friend }]) : [];
    return seen ?? noFriend();
  };

  const settleRooms = async ({ sides }: Friendship): Promise<void> => {
    const [one, other] = sides;
    const settings = await people.settingsOfMany([one.person, other.person]);
    for (const [side, viewer] of [
      [one, other],
      [other, one],
    ] as const) {
      const sharer = settings.get(side.person);
      live.audienceChanged({
        userId: side.person,
        viewerId: viewer.person,
        live: sharer !== undefined && isLive(side, sharer, viewer),
      });
    }
  };

  const announceEnd = (userId: string, friendIds: readonly string[]): void => {
    for (const friendId of friendIds) {
      live.audienceChanged({ userId, viewerId: friendId, live: false });
      live.audienceChanged({ userId: friendId, viewerId: userId, live: false });
      live.friendRemoved(friendId, userId);
    }
  };

  return {
    view,
    settleRooms,
    async list(userId) {
      return viewAll(userId, await friendsWithSettings(userId));
    },
    async change(userId, friendId, change) {
      const changed = await store.change(userId, friendId, change);
      if (!changed) return noFriend();
      const { before, after } = changed;
      await settleRooms(after);
      if (sidesFor(before, userId).mine.shareLevel !== sidesFor(after, userId).mine.shareLevel)
        live.friendUpdated(friendId, await view(after, friendId));
      return view(after, userId);
    },
    async remove(userId, friendId) {
      if (!(await store.remove(userId, friendId))) noFriend();
      announceEnd(userId, [friendId]);
    },
    announceEnd,
    async consentsChanged(before, after) {
      for (const { friendship, mine, theirs } of await friendsWithSettings(after.userId)) {
        if (levelInForce(mine, before) === levelInForce(mine, after)) continue;
        live.audienceChanged({
          userId: after.userId,
          viewerId: theirs.person,
          live: isLive(mine, after, theirs),
        });
        live.friendUpdated(theirs.person, await view(friendship, theirs.person));
      }
    },
    async liveFriendsOf(viewer) {
      const friends = await friendsWithSettings(viewer);
      return friends
        .filter(({ mine, theirs, friend }) => isLive(theirs, friend, mine))
        .map(({ friend }) => friend.userId);
    },
    async boardFriendsOf(viewer) {
      const friends = await friendsWithSettings(viewer);
      return friends
        .filter(
          ({ theirs, friend }) =>
            isAtLeast(levelInForce(theirs, friend), 'summary') && friend.consents.has('leaderboard'),
        )
        .map(({ friend }) => friend.userId);
    },
  };
};

const noFriend = (): never => {
  throw new DomainError('not-found', { detail: 'There is no such friend.' });
};
