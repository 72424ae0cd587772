import type { ClientSession, Collection, Filter, MongoClient, UpdateFilter } from 'mongodb';

/**
 * Runs reads that see everything that was acknowledged before, even while the primary moves: after a write that changes
 * nothing, in a causally consistent session. A linearizable read says the same, and waits for the journal's own pace.
 */
export const withReadBarrier = async <Doc extends { _id: string; rev: number }, T>(
  client: Pick<MongoClient, 'startSession'>,
  collection: Collection<Doc>,
  read: (session: ClientSession) => Promise<T>,
): Promise<T> => {
  const session = client.startSession({ causalConsistency: true });
  try {
    await collection.updateOne(
      { _id: '~nothing' } as Filter<Doc>,
      { $set: { rev: 0 } } as unknown as UpdateFilter<Doc>,
      { session },
    );
    return await read(session);
  } finally {
    await session.endSession();
  }
};
