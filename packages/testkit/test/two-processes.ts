import { targetNames } from '@pufftrack/server';
import { MongoClient } from 'mongodb';
import { startTestApp, type TestApp } from '../src/index.ts';

/** Two processes on one database, and nothing between them; and a connection to look at what is stored. */
export interface TwoProcesses {
  readonly here: TestApp;
  readonly there: TestApp;
  readonly mongo: MongoClient;
  close(): Promise<void>;
}

export const startTwoProcesses = async (): Promise<TwoProcesses> => {
  const here = await startTestApp({ targets: targetNames });
  const there = await startTestApp({ targets: targetNames, mongoUri: here.mongoUri, world: here });
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
