import type { Document } from 'mongodb';
import { MongoClient } from 'mongodb';

/** A line of MongoDB's profiler: one operation that the database did. */
export interface Profiled extends Document {
  ns: string;
  op: string;
  command: Document;
  docsExamined?: number;
}

export const collectionOf = ({ ns }: Profiled): string => ns.slice(ns.indexOf('.') + 1);

/** What a process also looks at by itself, at times of its own: keys, ended sessions, what waits to be sent or erased, whether writes get through. */
const byItself = new Set([
  'applenotifications',
  'applerevocations',
  'erasures',
  'inboxheads',
  'pushes',
  'sessions',
  'signingkeys',
  'writeprobes',
]);
/** Who hears of whom is asked of `users` now and then. */
const isByItself = (line: Profiled): boolean =>
  byItself.has(collectionOf(line)) ||
  /audienceChangedAt|ghost/.test(JSON.stringify(line.command['filter'] ?? {}));

/** What the database of this address was asked for while `work` ran, but for what processes ask by themselves. */
export const profiled = async (mongoUri: string, work: () => Promise<unknown>): Promise<Profiled[]> => {
  const client = await MongoClient.connect(mongoUri);
  try {
    const db = client.db();
    await db.setProfilingLevel('off');
    await db
      .collection('system.profile')
      .drop()
      .catch(() => undefined);
    // 1 MB by default, of which a few hundred lines with long lists would push out the first.
    await db.createCollection('system.profile', { capped: true, size: 64 * 1024 * 1024 });
    await db.setProfilingLevel('all');
    await work();
    await db.setProfilingLevel('off');
    const lines = await db.collection<Profiled>('system.profile').find({}).toArray();
    return lines.filter((line) => !line.ns.endsWith('.system.profile') && !isByItself(line));
  } finally {
    await client.close();
  }
};

/** Documents that were looked at, by collection. */
export const documentsRead = (lines: readonly Profiled[]): Record<string, number> => {
  const read: Record<string, number> = {};
  for (const line of lines) {
    const { docsExamined = 0 } = line;
    if (docsExamined > 0) read[collectionOf(line)] = (read[collectionOf(line)] ?? 0) + docsExamined;
  }
  return read;
};
