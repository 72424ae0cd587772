import { targetNames } from '@pufftrack/server';
import { MongoClient } from 'mongodb';
import { startTestApp, type TestApp } from '../src/index.ts';

/** Two processes on one database, with nothing between them unless they share a Redis; and a connection to look at what is stored. */
export interface TwoProcesses {
  readonly here: TestApp;
  readonly there: TestApp;
  readonly mongo: MongoClient;
  close(): Promise<void>;
}

/** With `redisUrl` they share a bus and limits as well. */
export const startTwoProcesses = async (options: { redisUrl?: string } = {}): Promise<TwoProcesses> => {
  const here = await startTestApp({ targets: targetNames, ...options });
  const there = await startTestApp({
    targets: targetNames,
    mongoUri: here.mongoUri,
    world: here,
    ...options,
  });
  const mongo = await MongoClient.connect(here.mongoUri);
  return {
    here,
    there,
    mongo,
    async close() {
      await there.close();
      await here.close();
      await mongo.close();
    },
  };
};
