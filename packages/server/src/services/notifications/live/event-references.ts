import type { Friend, Puff, Purpose, UserStats } from '@pufftrack/contract';
import { z } from 'zod';
import { DomainError } from '../../../platform/edge/errors.ts';
import { isProcessed } from '../../users/index.ts';

const StatsReference = z.object({ userId: z.string() });
const PuffReference = z.object({ userId: z.string(), puffId: z.string() });
const FriendReference = z.object({ viewer: z.string(), friendId: z.string() });
const FriendPuffReference = z.object({
  friendId: z.string(),
  count: z.number(),
  todayCount: z.number(),
  dailyLimit: z.number().nullable(),
});

/** What another process is sent of an event whose content the database has: ids instead of names, puffs and counts. */
export const statsReference = (userId: string): z.infer<typeof StatsReference> => ({ userId });
export const puffReference = (userId: string, puffId: string): z.infer<typeof PuffReference> => ({
  userId,
  puffId,
});
export const friendReference = (viewer: string, friendId: string): z.infer<typeof FriendReference> => ({
  viewer,
  friendId,
});
/** Its counts belong to the moment and are stored nowhere, so they travel; the name does not. */
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

interface Sharer {
  readonly name: string | null;
  readonly consents: ReadonlySet<Purpose>;
}

export interface EventSources {
  statsOf(userId: string): Promise<UserStats>;
  /** A live puff as it is now; undefined where it is not there, or not any more. */
  puffOf(userId: string, puffId: string): Promise<Puff | undefined>;
  /** A friend as `viewer` sees them now; undefined where they are no friends. */
  friendOf(viewer: string, friendId: string): Promise<Friend | undefined>;
  person(userId: string): Sharer | Promise<Sharer>;
}

/** The payload of an event that another process refers to. Undefined where there is nothing to tell any more. */
export const loadEvent = async (
  sources: EventSources,
  event: string,
  reference: unknown,
): Promise<object | undefined> => {
  try {
    switch (event) {
      case 'statsUpdate':
        return { stats: await sources.statsOf(StatsReference.parse(reference).userId) };
      case 'puffRecorded': {
        const { userId, puffId } = PuffReference.parse(reference);
        const puff = await sources.puffOf(userId, puffId);
        return puff && { puff };
      }
      case 'friendUpdated': {
        const { viewer, friendId } = FriendReference.parse(reference);
        const friend = await sources.friendOf(viewer, friendId);
        return friend && { friend };
      }
      case 'friendPuff': {
        const { friendId, ...counts } = FriendPuffReference.parse(reference);
        const sharer = await sources.person(friendId);
        return isProcessed(sharer) ? { friendId, friendName: sharer.name, ...counts } : undefined;
      }
      default:
        return undefined;
    }
  } catch (error) {
    // Erased meanwhile: there is nobody left to tell of.
    if (error instanceof DomainError && error.code === 'account-gone') return undefined;
    throw error;
  }
};
