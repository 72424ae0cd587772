import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient, MongoServerError, type Db, type Document } from 'mongodb';
import { accepts } from '../free-port.ts';
import { replicaSetName } from './mongod-process.ts';

/** src/mongo/base/error_codes.yml */
const notYetInitialized = 94;
const invalidReplicaSetConfig = 93;
const alreadyInitialized = 23;

const codeOf = (error: unknown) => (error instanceof MongoServerError ? error.code : undefined);

/** A mongod that is still loading its stored configuration also reports that it has none, and rejects a new one. */
const initiate = async (admin: Db, host: string): Promise<void> => {
  try {
    await admin.command({ replSetInitiate: { _id: replicaSetName, members: [{ _id: 0, host }] } });
  } catch (error) {
    if (codeOf(error) !== alreadyInitialized) throw error;
  }
};

/** Forced, because there is no primary: the only member does not find itself in the set after its port has changed. */
const moveTo = async (admin: Db, host: string): Promise<void> => {
  const { config } = (await admin.command({ replSetGetConfig: 1 })) as {
    config: { version: number; members: Document[] };
  };
  const members = [{ ...config.members[0], host }];
  await admin.command({
    replSetReconfig: { ...config, version: config.version + 1, members },
    force: true,
  });
};

const isWritable = async (admin: Db): Promise<boolean> => {
  const hello = await admin.command({ hello: 1 });
  return hello['isWritablePrimary'] === true;
};

/** Does the next step to a writable primary; returns whether it is one now. */
const advance = async (admin: Db, host: string): Promise<boolean> => {
  if (await isWritable(admin)) return true;
  try {
    await admin.command({ replSetGetStatus: 1 });
  } catch (error) {
    const code = codeOf(error);
    if (code === notYetInitialized) await initiate(admin, host);
    else if (code === invalidReplicaSetConfig) await moveTo(admin, host);
    else throw error;
  }
  return isWritable(admin);
};

/**
 * Waits until the mongod on `port` is the writable primary of its replica set of one. Initiates the set if there is none, and
 * updates its address if the port has changed. Both are safe to repeat after a crash.
 * @returns false if `deadline` (performance.now()) passes or `isRunning` becomes false first
 */
export const becomePrimary = async (
  port: number,
  options: { deadline: number; isRunning(): boolean },
): Promise<boolean> => {
  const inTime = () => performance.now() < options.deadline && options.isRunning();
  const host = `127.0.0.1:${port}`;
  while (inTime()) {
    if (await accepts(port)) {
      const client = new MongoClient(`mongodb://${host}/?directConnection=true`, {
        serverSelectionTimeoutMS: 2_000,
        socketTimeoutMS: 10_000,
      });
      try {
        const admin = client.db('admin');
        while (inTime()) {
          if (await advance(admin, host)) return true;
          await delay(20);
        }
      } catch {
        // Servers that start, elect or stop fail in many ways. After the deadline the caller reports mongod's log.
      } finally {
        await client.close();
      }
    }
    await delay(50);
  }
  return false;
};
