import type { Connection } from 'mongoose';

/** For migrations: makes the new index before it drops the old one, so that no question is without one meanwhile. */
export const replaceIndex = async (
  connection: Connection,
  change: { collection: string; made: Readonly<Record<string, 1 | -1>>; dropped: string },
): Promise<void> => {
  const collection = connection.collection(change.collection);
  await collection.createIndexes([{ key: change.made }]);
  const names = (await collection.indexes()).map(({ name }) => name);
  if (names.includes(change.dropped)) await collection.dropIndex(change.dropped);
};
