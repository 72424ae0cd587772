import { z } from 'zod';
import { DomainError } from '../../../platform/edge/errors.ts';
import { isProcessed } from '../../../domain/consents.ts';
import type { PuffReader, SharingPolicy, StatsReader, UserDirectory } from '../ports.ts';

const StatsReference = z.object({ userId: z.string() });
const PuffReference = z.object({ userId: z.string(), puffId: z.string() });
const FriendReference = z.object({ viewer: z.string(), friendId: z.string() });
const FriendPuffReference = z.object({
  friendId: z.string(),
  count: z.number(),
  todayCount: z.number(),
  dailyLimit: z.number().nullable(),
});

/** What is published of an event whose content is in the database: ids in place of names, puffs and counts. */
export const statsReference = (userId: string): z.infer<typeof StatsReference> => ({ userId });
export const puffReference = (userId: string, puffId: string): z.infer<typeof PuffReference> => ({
  userId,
  puffId,
});
export const friendReference = (viewer: string, friendId: string): z.infer<typeof FriendReference> => ({
  viewer,
  friendId,
});
/** Its counts are stored nowhere, so they are published; the name is not. */
export const friendPuffReference = ({
  friendId,
  count,
  todayCount,
  dailyLimit,
}: z.infer<typeof FriendPuffReference>): z.infer<typeof FriendPuffReference> => ({
  friendId,
  count,
  todayCount,
  dailyLimit,
});

export interface EventSources {
  readonly users: Pick<UserDirectory, 'settings'>;
  readonly sharing: Pick<SharingPolicy, 'friendOf'>;
  readonly stats: StatsReader;
  readonly puffs: PuffReader;
}

/** The payload of an event that another process refers to; undefined if it is not to be sent any more. */
export const loadEvent = async (
  { users, sharing, stats, puffs }: EventSources,
  event: string,
  reference: unknown,
): Promise<object | undefined> => {
  try {
    switch (event) {
      case 'statsUpdate':
        return { stats: await stats.current(StatsReference.parse(reference).userId) };
      case 'puffRecorded': {
        const { userId, puffId } = PuffReference.parse(reference);
        const puff = await puffs.findLive(userId, puffId);
        return puff && { puff };
      }
      case 'friendUpdated': {
        const { viewer, friendId } = FriendReference.parse(reference);
        const friend = await sharing.friendOf(viewer, friendId);
        return friend && { friend };
      }
      case 'friendPuff': {
        const { friendId, ...counts } = FriendPuffReference.parse(reference);
        const friend = await users.settings(friendId);
        return isProcessed(friend) ? { friendId, friendName: friend.name, ...counts } : undefined;
      }
      default:
        return undefined;
    }
  } catch (error) {
    // The account was deleted meanwhile.
    if (error instanceof DomainError && error.code === 'account-gone') return undefined;
    throw error;
  }
};
