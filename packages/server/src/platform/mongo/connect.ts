import { Mongoose, type Connection } from 'mongoose';
import { limitCommands, socketTimeoutMs } from './time-limits.ts';

/**
 * Connects with the write concern that an acknowledgement rests on (majority, journalled), given here and
 * not left to the deployment's defaults. Every wait has a bound, so that a lost primary becomes a 503.
 */
export const connectMongo = async (uri: string): Promise<Connection> => {
  const connection = new Mongoose().createConnection(uri, {
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: 5_000 },
    readConcernLevel: 'majority',
    serverSelectionTimeoutMS: 5_000,
    waitQueueTimeoutMS: 2_000,
    connectTimeoutMS: 5_000,
    socketTimeoutMS: socketTimeoutMs,
    maxPoolSize: 50,
    // Without a primary a call fails by the limits above; Mongoose would hold it back for another 10 s.
    bufferCommands: false,
    autoIndex: false,
    autoCreate: false,
  });
  limitCommands(connection);
  try {
    await connection.asPromise();
  } catch (cause) {
    await connection.close();
    throw new Error(whyNot(uri, cause), { cause });
  }
  return connection;
};

/** One sentence for whoever starts the program. It names the hosts, and no user or password. */
const whyNot = (uri: string, cause: unknown): string => {
  const hosts = /^mongodb(?:\+srv)?:\/\/(?:[^/]*@)?([^/?]+)/.exec(uri)?.[1] ?? 'the address given';
  return (cause as { code?: unknown }).code === authenticationFailed
    ? `MongoDB at ${hosts} refuses the user or password of MONGODB_URI.`
    : `MongoDB does not answer at ${hosts}; start it there, or set MONGODB_URI to where it is.`;
};

const authenticationFailed = 18;

/** Throws where the server is a standalone: without a replica set an acknowledged write can be lost. */
export const requireReplicaSet = async (connection: Connection): Promise<void> => {
  const hello = await connection.db?.admin().command({ hello: 1 });
  const setName: unknown = hello?.['setName'] ?? (hello?.['msg'] === 'isdbgrid' ? 'sharded' : undefined);
  if (typeof setName !== 'string')
    throw new Error(
      'MongoDB is a standalone server; PuffTrack needs a replica set (start mongod with --replSet).',
    );
};

/** True while the primary answers within `timeoutMs`. */
export const isPrimaryReachable = async (connection: Connection, timeoutMs = 1_000): Promise<boolean> => {
  if (!connection.db) return false;
  const timeout = new Promise<false>((resolve) => setTimeout(resolve, timeoutMs, false).unref());
  const ping = connection.db
    .admin()
    .command({ hello: 1 })
    .then(
      (hello) => hello['isWritablePrimary'] === true,
      () => false,
    );
  return Promise.race([ping, timeout]);
};
