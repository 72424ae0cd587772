import type { FriendMilestone, Milestone } from '@pufftrack/contract';
import { groupBy } from '../../../platform/group-by.ts';
import type { Clock } from '../../../platform/clock.ts';
import type { CheerStore } from '../cheers/cheer-store.ts';
import { newestOfEach, shownToFriendsMs } from './milestone.ts';
import type { MilestoneAwards, MilestonePerson } from './milestone-awards.ts';
import type { MilestoneStore } from './milestone-store.ts';
import { viewFriendMilestone, viewMilestone } from './milestone-view.ts';

export interface MilestoneService {
  /** Newest first. What is held is judged before it is shown, so that nothing is shown that is not true any more. */
  list(userId: string): Promise<{ mine: Milestone[]; friends: FriendMilestone[] }>;
}

export interface MilestoneServiceDeps {
  store: Pick<MilestoneStore, 'listHeld'>;
  cheers: Pick<CheerStore, 'list'>;
  awards: Pick<MilestoneAwards, 'refresh'>;
  person: (userId: string) => MilestonePerson | Promise<MilestonePerson>;
  /** The friends who show their milestones to this person now. */
  milestoneFriendsOf: (userId: string) => Promise<readonly MilestonePerson[]>;
  clock: Clock;
}

export const createMilestoneService = (deps: MilestoneServiceDeps): MilestoneService => {
  const { store, clock } = deps;
  return {
    async list(userId) {
      const friends = await deps.milestoneFriendsOf(userId);
      await deps.awards.refresh([await deps.person(userId), ...friends]);
      const people = new Map(friends.map((friend) => [friend.userId, friend]));
      const confirmedSince = clock.now() - shownToFriendsMs;
      const [own, theirs] = await Promise.all([
        store.listHeld([userId]),
        store.listHeld([...people.keys()], { confirmedSince }),
      ]);
      const mine = newestOfEach(own).reverse();
      const shown = newestOfEach(theirs).reverse();
      const cheers = groupBy(
        await deps.cheers.list([...mine, ...shown].map(({ id }) => id)),
        ({ milestoneId }) => milestoneId,
      );
      return {
        mine: mine.map((milestone) => viewMilestone(milestone, cheers.get(milestone.id) ?? [])),
        friends: shown.flatMap((milestone) => {
          const friend = people.get(milestone.userId);
          const sent = (cheers.get(milestone.id) ?? []).filter(({ sender }) => sender === userId);
          return friend ? [viewFriendMilestone(milestone, friend, sent)] : [];
        }),
      };
    },
  };
};
