import type { FriendMilestone, Milestone } from '@pufftrack/contract';
import type { Clock } from '../../../platform/clock.ts';
import { groupBy } from '../../../platform/group-by.ts';
import type { MilestoneSharing, UserDirectory } from '../ports.ts';
import type { MilestoneAwards } from './milestone-awards.ts';
import type { MilestoneStore } from './milestone-store.ts';
import { viewFriendMilestone, viewMilestone } from './milestone-view.ts';
import { latestOfEach, shownToFriendsMs, type Cheer } from './milestone.ts';

export interface MilestoneService {
  /** Newest first. Milestones are refreshed before they are listed, so none is listed that its days no longer support. */
  list(userId: string): Promise<{ mine: Milestone[]; friends: FriendMilestone[] }>;
}

export const createMilestoneService = (deps: {
  store: Pick<MilestoneStore, 'listAwarded'>;
  cheers: { list(milestoneIds: readonly string[]): Promise<Cheer[]> };
  awards: Pick<MilestoneAwards, 'refresh'>;
  users: Pick<UserDirectory, 'settings'>;
  sharing: Pick<MilestoneSharing, 'milestoneFriendsOf'>;
  clock: Clock;
}): MilestoneService => {
  const { store, users, sharing, clock } = deps;
  return {
    async list(userId) {
      const friends = await sharing.milestoneFriendsOf(userId);
      await deps.awards.refresh([await users.settings(userId), ...friends]);
      const friendsById = new Map(friends.map((friend) => [friend.userId, friend]));
      const confirmedSince = clock.now() - shownToFriendsMs;
      const [own, ofFriends] = await Promise.all([
        store.listAwarded([userId]),
        store.listAwarded([...friendsById.keys()], { confirmedSince }),
      ]);
      const mine = latestOfEach(own).reverse();
      const visible = latestOfEach(ofFriends).reverse();
      const cheers = groupBy(
        await deps.cheers.list([...mine, ...visible].map(({ id }) => id)),
        ({ milestoneId }) => milestoneId,
      );
      return {
        mine: mine.map((milestone) => viewMilestone(milestone, cheers.get(milestone.id) ?? [])),
        friends: visible.flatMap((milestone) => {
          const friend = friendsById.get(milestone.userId);
          const sent = (cheers.get(milestone.id) ?? []).filter(({ sender }) => sender === userId);
          return friend ? [viewFriendMilestone(milestone, friend, sent)] : [];
        }),
      };
    },
  };
};
