import type { Friend } from '@pufftrack/contract';

/** Everything of a friend except the numbers, which change with every puff and are not sent as events. */
const withoutNumbers = ({ summary, ...friend }: Friend) =>
  JSON.stringify({ ...friend, isShown: summary !== null });

/**
 * The events that turn the list `before` into `after`.
 * Example: `before` has Ann and Ben, `after` Ann at another level and Cleo: removed Ben; updated Ann and Cleo.
 */
export const friendChanges = (
  before: readonly Friend[],
  after: readonly Friend[],
): { removed: string[]; updated: Friend[] } => {
  const known = new Map(before.map((friend) => [friend.userId, withoutNumbers(friend)]));
  const left = new Set(after.map(({ userId }) => userId));
  return {
    removed: [...known.keys()].filter((userId) => !left.has(userId)),
    updated: after.filter((friend) => known.get(friend.userId) !== withoutNumbers(friend)),
  };
};
