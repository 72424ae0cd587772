import type { Connection } from 'mongoose';

/** How long (ms) the database may work on one command of a request; it ends the command itself after that. */
export const readLimitMs = 2_000;
export const writeLimitMs = 5_000;
/** For jobs and migrations, whose commands go over the rows of many people. Passed with the command. */
export const backgroundLimit = { maxTimeMS: 60_000 } as const;
/** For a cursor that a job reads to its end: the time of all its batches together counts. */
export const scanLimit = { maxTimeMS: 3_600_000, socketTimeoutMS: 30_000 } as const;

/** A server that answers at all answers this long (ms) after the limit of a command, at the latest. */
const answerMarginMs = 1_500;
/**
 * For commands without a limit of their own (commit, abort, getMore). The driver sends a command once more after a lost
 * connection, so twice this has to fit into the deadline of a request.
 */
export const socketTimeoutMs = writeLimitMs + answerMarginMs;

/** The position of the options among the arguments of a method of the driver's `Collection`. */
const reads: Readonly<Record<string, number>> = {
  find: 1,
  findOne: 1,
  aggregate: 1,
  countDocuments: 1,
  distinct: 2,
};
const writes: Readonly<Record<string, number>> = {
  insertOne: 1,
  insertMany: 1,
  bulkWrite: 1,
  updateOne: 2,
  updateMany: 2,
  replaceOne: 2,
  deleteOne: 1,
  deleteMany: 1,
  findOneAndUpdate: 2,
  findOneAndReplace: 2,
  findOneAndDelete: 1,
};

type Method = (...args: unknown[]) => unknown;
interface Limits {
  maxTimeMS?: number;
}

/**
 * Every command of this connection carries `maxTimeMS`, and its connection is given up when no answer has come shortly
 * after that: a database that is stopped, or a network that swallows packets, ends no command itself. Options of a call
 * go before these. Mongoose's models and the collections of the driver both come through here; to be called before either
 * is made. (`timeoutMS` would do all of it, but has no effect in the driver 7.8.)
 */
export const limitCommands = (connection: Connection): void => {
  const make = connection.collection.bind(connection);
  const limited = new WeakSet();
  connection.collection = ((...args: Parameters<typeof make>) => {
    const collection = make(...args);
    if (!limited.has(collection)) {
      limited.add(collection);
      const methods = collection as unknown as Record<string, Method>;
      for (const [name, at] of Object.entries(reads)) limit(methods, name, at, readLimitMs);
      for (const [name, at] of Object.entries(writes)) limit(methods, name, at, writeLimitMs);
      // The build of an index takes as long as its collection is large.
      for (const name of ['createIndex', 'createIndexes'])
        override(methods, name, 1, (options) => ({ socketTimeoutMS: 0, ...options }));
    }
    return collection;
  }) as typeof connection.collection;
};

const limit = (methods: Record<string, Method>, name: string, at: number, limitMs: number) => {
  override(methods, name, at, (options) => {
    const { maxTimeMS = limitMs } = (options ?? {}) as Limits;
    return { socketTimeoutMS: maxTimeMS + answerMarginMs, ...options, maxTimeMS };
  });
};

const override = (
  methods: Record<string, Method>,
  name: string,
  at: number,
  change: (options: object | undefined) => object,
) => {
  const method = methods[name];
  if (!method) throw new Error(`the driver's collection has no ${name}`);
  methods[name] = (...args) => {
    args[at] = change(args[at] as object | undefined);
    return method.apply(methods, args);
  };
};
