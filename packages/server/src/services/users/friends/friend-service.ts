import type { Friend } from '@pufftrack/contract';
import type { ClientSession, Connection } from 'mongoose';
import type { CheerEnding, LiveEvents, MuteAllReader, StatsReader } from '../ports.ts';
import type { Actor } from '../../../platform/edge/actor.ts';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import type { Audience } from '../sharing/audience.ts';
import type { AudienceStore } from '../sharing/audience-store.ts';
import type { FriendConnectionStore, SideChange } from '../sharing/friend-connection-store.ts';
import {
  isAtLeast,
  isLive,
  isResting,
  levelInForce,
  liveSince,
  showsMilestones,
  sidesFor,
  type Friendship,
  type Side,
} from '../sharing/friendship.ts';
import { mayShare } from '../consents/consent.ts';
import { createFriendUpdates } from './friend-updates.ts';
import { viewFriend } from './friend-view.ts';
import type { UserSettingsCache } from '../accounts/user-settings-cache.ts';
import { settingsOf, type UserSettings } from '../accounts/user.ts';
import type { UserStore } from '../accounts/user-store.ts';

/** A friend who receives a user's puffs as they happen, and since when (ms) without interruption. */
export interface LiveViewer {
  readonly userId: string;
  readonly since: number;
}

/** What the other services may read of friendships. */
export interface FriendReads {
  friendsOf(userId: string): Promise<Friend[]>;
  /** One friend as `viewer` may see them now; undefined where the two are not friends. */
  friendOf(viewer: string, friendId: string): Promise<Friend | undefined>;
  liveViewersOf(userId: string): Promise<LiveViewer[]>;
  /** The friends who share `summary` or more with `viewer` and appear on boards. */
  boardFriendsOf(viewer: string): Promise<UserSettings[]>;
  /** The friends who show their milestones to `viewer`. */
  milestoneFriendsOf(viewer: string): Promise<UserSettings[]>;
  /**
   * Whether `owner` shows milestones to `viewer`, and whether `owner` has muted them; undefined: not shown. Reads inside
   * the transaction, so a friendship that ends at the same time is either complete or gone.
   */
  showsMilestones(
    owner: string,
    viewer: string,
    tx: ClientSession,
  ): Promise<{ readonly isMuted: boolean } | undefined>;
}

export interface FriendService {
  readonly reads: FriendReads;
  /** Throws `not-found` where the two are not friends. */
  change(actor: Actor, friendId: string, change: SideChange): Promise<Friend>;
  remove(actor: Actor, friendId: string): Promise<void>;
  /** Sends `friendRemoved` to these former friends of a user. */
  announceEndedFriendships(userId: string, friendIds: readonly string[]): Promise<void>;
  /** The friend of `viewer` in this friendship, as `viewer` may see them now. */
  view(friendship: Friendship, viewer: string): Promise<Friend>;
  /** Sends the current state of a friend to the sockets of `viewer`, except to those of `exceptSession`. */
  show(viewer: string, friendId: string, exceptSession?: string): Promise<void>;
  /** Sends the current state of a user to the friends whose side of the friendship `isAffected`. */
  refreshForFriends(person: UserSettings, isAffected: (given: Side) => boolean): Promise<void>;
  /** Updates audiences and friends where the change of consents changes what friends may see. */
  consentsChanged(before: UserSettings, after: UserSettings): Promise<void>;
}

export const createFriendService = (deps: {
  connection: Connection;
  store: FriendConnectionStore;
  audiences: Pick<AudienceStore, 'markChanged'>;
  audience: Audience;
  userSettings: UserSettingsCache;
  live: LiveEvents;
  users: Pick<UserStore, 'find'>;
  stats: Pick<StatsReader, 'summaries'>;
  muteSettings: MuteAllReader;
  cheers: CheerEnding;
  clock: Clock;
}): FriendService => {
  const { connection, store, audiences, audience, userSettings, live, stats, clock } = deps;

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
    friends: readonly { friendship: Friendship; friend: UserSettings }[],
  ): Promise<Friend[]> => {
    const now = clock.now();
    const sharing = friends.filter(
      ({ friendship, friend }) =>
        isAtLeast(levelInForce(sidesFor(friendship, viewer).theirs, friend), 'summary') &&
        !isResting(friend, now),
    );
    const known = await stats.summaries(sharing.map(({ friend }) => friend));
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
    const summary = mayShare(person) ? (await stats.summaries([person])).get(person.userId) : undefined;
    const now = clock.now();
    // Read again: a friendship that has ended meanwhile gets no event, and a lowered share level shows less.
    const affected = new Set(
      friendships.map((friendship) => sidesFor(friendship, person.userId).theirs.person),
    );
    for (const friendship of await store.list(person.userId)) {
      if (!affected.has(sidesFor(friendship, person.userId).theirs.person)) continue;
      const viewer = sidesFor(friendship, person.userId).theirs.person;
      live.friendUpdated(viewer, viewFriend(friendship, viewer, person, { summary, now }));
    }
  };

  const announceEndedFriendships: FriendService['announceEndedFriendships'] = async (userId, friendIds) => {
    await audience.refresh([userId, ...friendIds]);
    for (const friendId of friendIds) live.friendRemoved(friendId, userId);
  };

  const reads: FriendReads = {
    async friendsOf(userId) {
      return viewAll(userId, await friendsWithSettings(userId));
    },
    async friendOf(viewer, friendId) {
      const friendship = await store.find(viewer, friendId);
      return friendship && view(friendship, viewer);
    },
    async liveViewersOf(userId) {
      const now = clock.now();
      const friendships = await store.list(userId);
      const sharer = (await userSettings.getMany([userId])).get(userId);
      if (!sharer) return [];
      const muteAll = await deps.muteSettings.findMuteAll(
        friendships.map((each) => sidesFor(each, userId).theirs.person),
      );
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

  return {
    reads,
    view,
    show,
    refreshForFriends,
    async change({ userId, sessionId }, friendId, change) {
      // The share level decides who receives the caller's puffs, the mute whether the caller receives the friend's.
      const changedAudiences = [
        ...(change.shareLevel === undefined ? [] : [userId]),
        ...(change.muted === undefined ? [] : [friendId]),
      ];
      const { before, after } = await inTransaction(connection, async (tx) => {
        const changed =
          (await store.change(userId, friendId, { ...change, now: clock.now() }, tx)) ?? noFriend();
        if (changedAudiences.length > 0) await audiences.markChanged(changedAudiences, tx);
        return changed;
      });
      await audience.refresh(changedAudiences);
      if (sidesFor(before, userId).mine.shareLevel !== sidesFor(after, userId).mine.shareLevel)
        await show(friendId, userId);
      await show(userId, friendId, sessionId);
      return view(after, userId);
    },
    async remove({ userId, sessionId }, friendId) {
      await inTransaction(connection, async (tx) => {
        if (!(await store.remove(userId, friendId, tx))) noFriend();
        await audiences.markChanged([userId, friendId], tx);
        await deps.cheers.endCheers(tx, userId, friendId);
      });
      await announceEndedFriendships(userId, [friendId]);
      live.friendRemoved(userId, friendId, sessionId);
    },
    announceEndedFriendships,
    async consentsChanged(before, after) {
      if (mayShare(before) === mayShare(after)) return;
      await audience.refresh([after.userId]);
      await refreshForFriends(after, (given) => levelInForce(given, before) !== levelInForce(given, after));
    },
  };
};

const noFriend = (): never => {
  throw new DomainError('not-found', { detail: 'The caller has no such friend.' });
};
