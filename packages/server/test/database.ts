import { randomBytes } from 'node:crypto';
import type { Connection } from 'mongoose';
import { connectMongo } from '../src/platform/mongo/connect.ts';

/** The address of the replica set that the tests share, with a database of the caller's own. */
export const testDatabaseUri = (): string => {
  const uri = process.env['PUFFTRACK_TEST_MONGODB_URI'];
  if (uri === undefined)
    throw new Error('PUFFTRACK_TEST_MONGODB_URI is not set; run the tests with npm test');
  const own = new URL(uri);
  own.pathname = `/test_${randomBytes(6).toString('hex')}`;
  return own.href;
};

export interface TestDatabase {
  readonly uri: string;
  readonly connection: Connection;
  drop(): Promise<void>;
}

export const openTestDatabase = async (): Promise<TestDatabase> => {
  const uri = testDatabaseUri();
  const connection = await connectMongo(uri);
  return {
    uri,
    connection,
    async drop() {
      await connection.dropDatabase();
      await connection.close();
    },
  };
};
