import type { Friend } from '@pufftrack/contract';

/** All that a friend's row says, but for the numbers: those change with every puff, and no event is sent for that. */
const withoutNumbers = ({ summary, ...friend }: Friend) =>
  JSON.stringify({ ...friend, isShown: summary !== null });

/**
 * What is to be told to somebody who was given the list `before`, so that they know `after`.
 * Example: `before` has Ann and Ben, `after` Ann at another level and Cleo: removed Ben; updated Ann and Cleo.
 */
export const friendChanges = (
  before: readonly Friend[],
  after: readonly Friend[],
): { removed: string[]; updated: Friend[] } => {
  const known = new Map(before.map((friend) => [friend.userId, withoutNumbers(friend)]));
  const still = new Set(after.map(({ userId }) => userId));
  return {
    removed: [...known.keys()].filter((userId) => !still.has(userId)),
    updated: after.filter((friend) => known.get(friend.userId) !== withoutNumbers(friend)),
  };
};
