import type { Friend, FriendSummary } from '@pufftrack/contract';
import type { ClientSession, Connection } from 'mongoose';
import type { Actor } from '../../../platform/edge/actor.ts';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import type { Audience } from '../sharing/audience.ts';
import type { AudienceStore } from '../sharing/audience-store.ts';
import type { FriendConnectionStore, SideChange } from './friend-connection-store.ts';
import {
  isAtLeast,
  isLive,
  isResting,
  levelInForce,
  liveSince,
  mayShare,
  showsMilestones,
  sidesFor,
  type Friendship,
  type MuteAll,
  type Side,
} from './friendship.ts';
import { createFriendUpdates } from './friend-updates.ts';
import { viewFriend } from './friend-view.ts';
import type { UserSettingsCache } from '../accounts/user-settings-cache.ts';
import { settingsOf, type PersonSettings } from '../accounts/user.ts';
import type { UserStore } from '../accounts/user-store.ts';

/**
 * Tells the open sockets of a person; notifications gives it. `exceptSession` is the one that made the change itself and has
 * its answer: the other phones of that person show the same list of friends.
 */
export interface FriendLive {
  friendUpdated(to: string, friend: Friend, exceptSession?: string): void;
  friendRemoved(to: string, friendId: string, exceptSession?: string): void;
}

/** A friend who is told of somebody's puffs as they happen, and since when (ms) without a break. */
export interface LiveViewer {
  readonly userId: string;
  readonly since: number;
}

export interface FriendService {
  list(userId: string): Promise<Friend[]>;
  /** Throws `not-found` where they are no friends. */
  change(actor: Actor, friendId: string, change: SideChange): Promise<Friend>;
  remove(actor: Actor, friendId: string): Promise<void>;
  /** Tells these friends of a person that their friendships have ended. */
  announceEndedFriendships(userId: string, friendIds: readonly string[]): Promise<void>;
  /** One friend as `viewer` sees them now. */
  view(friendship: Friendship, viewer: string): Promise<Friend>;
  /** Tells the phones of `viewer` how they stand with a friend now, but for those of `exceptSession`. */
  show(viewer: string, friendId: string, exceptSession?: string): Promise<void>;
  /** Shows a person as they are now to those friends for whom that is news, by what the person gives them. */
  refreshForFriends(person: PersonSettings, isAffected: (given: Side) => boolean): Promise<void>;
  /** A person's consents changed: what flows out to each friend may have. */
  consentsChanged(before: PersonSettings, after: PersonSettings): Promise<void>;
  liveViewersOf(userId: string): Promise<LiveViewer[]>;
  boardFriendsOf(viewer: string): Promise<PersonSettings[]>;
  /** The friends who let this person see what they have reached. */
  milestoneFriendsOf(viewer: string): Promise<PersonSettings[]>;
  /**
   * Whether `owner` lets `viewer` see what they have reached, and whether they want to hear of `viewer`; undefined where
   * they do not let them. Asked inside a transaction, which sees a friendship or its end and nothing between.
   */
  showsMilestones(
    owner: string,
    viewer: string,
    tx: ClientSession,
  ): Promise<{ readonly isMuted: boolean } | undefined>;
}

export const createFriendService = (deps: {
  connection: Connection;
  store: FriendConnectionStore;
  audiences: Pick<AudienceStore, 'move'>;
  audience: Audience;
  userSettings: UserSettingsCache;
  live: FriendLive;
  users: Pick<UserStore, 'find'>;
  summaries: (people: readonly PersonSettings[]) => Promise<ReadonlyMap<string, FriendSummary>>;
  findMuteAll: (userIds: readonly string[]) => Promise<ReadonlyMap<string, MuteAll>>;
  /** Part of the transaction that ends a friendship. */
  endCheers: (tx: ClientSession, one: string, other: string) => Promise<void>;
  clock: Clock;
}): FriendService => {
  const { connection, store, audiences, audience, userSettings, live, summaries, clock } = deps;

  /** The friends of `viewer` with their settings, in two queries whatever their number. */
  const friendsWithSettings = async (viewer: string) => {
    const friendships = await store.list(viewer);
    const settings = await userSettings.getMany(
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
    const now = clock.now();
    const sharing = friends.filter(
      ({ friendship, friend }) =>
        isAtLeast(levelInForce(sidesFor(friendship, viewer).theirs, friend), 'summary') &&
        !isResting(friend, now),
    );
    const known = await summaries(sharing.map(({ friend }) => friend));
    return friends.map(({ friendship, friend }) =>
      viewFriend(friendship, viewer, friend, { summary: known.get(friend.userId), now }),
    );
  };

  const view = async (friendship: Friendship, viewer: string): Promise<Friend> => {
    const { theirs } = sidesFor(friendship, viewer);
    const friend = (await userSettings.getMany([theirs.person])).get(theirs.person);
    const [seen] = friend ? await viewAll(viewer, [{ friendship, friend }]) : [];
    return seen ?? noFriend();
  };

  const show = createFriendUpdates({ connections: store, view, updated: live.friendUpdated });

  const refreshForFriends: FriendService['refreshForFriends'] = async (person, isAffected) => {
    const friendships = (await store.list(person.userId)).filter((friendship) =>
      isAffected(sidesFor(friendship, person.userId).mine),
    );
    if (friendships.length === 0) return;
    const summary = mayShare(person) ? (await summaries([person])).get(person.userId) : undefined;
    const now = clock.now();
    // Who is no friend any more by now is told nothing, and nobody sees more than they may by now.
    const asked = new Set(friendships.map((friendship) => sidesFor(friendship, person.userId).theirs.person));
    for (const friendship of await store.list(person.userId)) {
      if (!asked.has(sidesFor(friendship, person.userId).theirs.person)) continue;
      const viewer = sidesFor(friendship, person.userId).theirs.person;
      live.friendUpdated(viewer, viewFriend(friendship, viewer, person, { summary, now }));
    }
  };

  const announceEndedFriendships: FriendService['announceEndedFriendships'] = async (userId, friendIds) => {
    await audience.changed([userId, ...friendIds]);
    for (const friendId of friendIds) live.friendRemoved(friendId, userId);
  };

  return {
    view,
    show,
    refreshForFriends,
    async list(userId) {
      return viewAll(userId, await friendsWithSettings(userId));
    },
    async change({ userId, sessionId }, friendId, change) {
      // My level decides who hears of me, my mute who hears of them.
      const moved = [
        ...(change.shareLevel === undefined ? [] : [userId]),
        ...(change.muted === undefined ? [] : [friendId]),
      ];
      const { before, after } = await inTransaction(connection, async (tx) => {
        const changed =
          (await store.change(userId, friendId, { ...change, now: clock.now() }, tx)) ?? noFriend();
        if (moved.length > 0) await audiences.move(moved, tx);
        return changed;
      });
      await audience.changed(moved);
      if (sidesFor(before, userId).mine.shareLevel !== sidesFor(after, userId).mine.shareLevel)
        await show(friendId, userId);
      await show(userId, friendId, sessionId);
      return view(after, userId);
    },
    async remove({ userId, sessionId }, friendId) {
      await inTransaction(connection, async (tx) => {
        if (!(await store.remove(userId, friendId, tx))) noFriend();
        await audiences.move([userId, friendId], tx);
        await deps.endCheers(tx, userId, friendId);
      });
      await announceEndedFriendships(userId, [friendId]);
      live.friendRemoved(userId, friendId, sessionId);
    },
    announceEndedFriendships,
    async consentsChanged(before, after) {
      if (mayShare(before) === mayShare(after)) return;
      await audience.changed([after.userId]);
      await refreshForFriends(after, (given) => levelInForce(given, before) !== levelInForce(given, after));
    },
    async liveViewersOf(userId) {
      const now = clock.now();
      const friendships = await store.list(userId);
      const sharer = (await userSettings.getMany([userId])).get(userId);
      if (!sharer) return [];
      const muteAll = await deps.findMuteAll(friendships.map((each) => sidesFor(each, userId).theirs.person));
      return friendships.flatMap((friendship) => {
        const { mine, theirs } = sidesFor(friendship, userId);
        const viewer = theirs.person;
        return isLive(mine, sharer, theirs, now, muteAll.get(viewer))
          ? [{ userId: viewer, since: liveSince(friendship, sharer, viewer, muteAll.get(viewer)) }]
          : [];
      });
    },
    async boardFriendsOf(viewer) {
      const now = clock.now();
      const friends = await friendsWithSettings(viewer);
      return friends
        .filter(
          ({ theirs, friend }) =>
            isAtLeast(levelInForce(theirs, friend), 'summary') &&
            friend.consents.has('leaderboard') &&
            !isResting(friend, now),
        )
        .map(({ friend }) => friend);
    },
    async milestoneFriendsOf(viewer) {
      const now = clock.now();
      const friends = await friendsWithSettings(viewer);
      return friends
        .filter(({ theirs, friend }) => showsMilestones(theirs, friend, now))
        .map(({ friend }) => friend);
    },
    async showsMilestones(owner, viewer, tx) {
      const friendship = await store.find(owner, viewer, tx);
      const user = await deps.users.find(owner, tx);
      if (!friendship || !user) return undefined;
      const { theirs } = sidesFor(friendship, viewer);
      if (!showsMilestones(theirs, settingsOf(user), clock.now())) return undefined;
      return { isMuted: theirs.muted };
    },
  };
};

const noFriend = (): never => {
  throw new DomainError('not-found', { detail: 'There is no such friend.' });
};
