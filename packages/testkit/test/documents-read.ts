import { MongoClient } from 'mongodb';

interface ProfiledOperation {
  readonly ns: string;
  readonly docsExamined?: number;
}

/** Documents that the database looked at for `work`, by collection; processes look for new signing keys by themselves. */
export const documentsRead = async (
  mongoUri: string,
  work: () => Promise<unknown>,
): Promise<Record<string, number>> => {
  const client = await MongoClient.connect(mongoUri);
  try {
    const db = client.db();
    await db.setProfilingLevel('off');
    await db
      .collection('system.profile')
      .drop()
      .catch(() => undefined);
    await db.setProfilingLevel('all');
    await work();
    await db.setProfilingLevel('off');
    const operations = await db.collection('system.profile').find<ProfiledOperation>({}).toArray();
    const read: Record<string, number> = {};
    for (const { ns, docsExamined = 0 } of operations) {
      const name = ns.slice(ns.indexOf('.') + 1);
      if (docsExamined > 0 && name !== 'signingkeys') read[name] = (read[name] ?? 0) + docsExamined;
    }
    return read;
  } finally {
    await client.close();
  }
};
