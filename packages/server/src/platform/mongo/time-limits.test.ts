import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Collection } from 'mongodb';
import { Schema, type Connection } from 'mongoose';
import { openTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { readLimitMs, backgroundLimit, limitCommands, writeLimitMs } from './time-limits.ts';

/** Methods of the driver's collection that take no limit, each with the reason. */
const unlimited: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['createIndex', 'createIndexes'].map((name) => [name, 'takes as long as the collection is large']),
  ),
  ...Object.fromEntries(
    ['drop', 'dropIndex', 'dropIndexes', 'indexes', 'indexExists', 'indexInformation', 'listIndexes'].map(
      (name) => [name, 'only at the start, in migrations'],
    ),
  ),
  ...Object.fromEntries(
    [
      ...['constructor', 'estimatedDocumentCount', 'initializeOrderedBulkOp', 'initializeUnorderedBulkOp'],
      ...['isCapped', 'options', 'rename', 'watch', 'count'],
      ...['createSearchIndex', 'createSearchIndexes', 'dropSearchIndex', 'listSearchIndexes'],
      'updateSearchIndex',
    ].map((name) => [name, 'not used']),
  ),
};

describe('the time limit of every command (API-4)', () => {
  /** What a call of each method passes on to the driver. */
  const passedOn = (name: string, ...args: unknown[]): unknown[] => {
    let passed: unknown[] = [];
    const methods = Object.getOwnPropertyNames(Collection.prototype);
    const collection = Object.fromEntries(
      methods.map((method) => [method, (...given: unknown[]) => (passed = given)]),
    );
    const connection = { collection: () => collection };
    limitCommands(connection as unknown as Connection);
    const limited = connection.collection() as Record<string, (...args: unknown[]) => unknown>;
    limited[name]?.(...args);
    return passed;
  };

  it('is known for every method of the driver', () => {
    const methods = Object.getOwnPropertyNames(Collection.prototype).filter(
      (name) => typeof Object.getOwnPropertyDescriptor(Collection.prototype, name)?.value === 'function',
    );
    const without = methods.filter((name) => {
      const passed = passedOn(name, {}, {}, {}) as { maxTimeMS?: number }[];
      return !passed.some(({ maxTimeMS }) => maxTimeMS !== undefined) && !(name in unlimited);
    });
    expect(without).toEqual([]);
  });

  it.each([
    { name: 'find', args: [{}], expected: { maxTimeMS: readLimitMs } },
    { name: 'find', args: [{}, { limit: 3 }], expected: { maxTimeMS: readLimitMs, limit: 3 } },
    { name: 'distinct', args: ['name', {}], expected: { maxTimeMS: readLimitMs } },
    { name: 'aggregate', args: [[], backgroundLimit], expected: { maxTimeMS: backgroundLimit.maxTimeMS } },
    { name: 'insertMany', args: [[{}]], expected: { maxTimeMS: writeLimitMs } },
    {
      name: 'updateOne',
      args: [{}, {}, { upsert: true }],
      expected: { maxTimeMS: writeLimitMs, upsert: true },
    },
    // Mongoose passes options that it does not know as undefined.
    { name: 'deleteMany', args: [{}, { maxTimeMS: undefined }], expected: { maxTimeMS: writeLimitMs } },
  ])('is passed with $name($args)', ({ name, args, expected }) => {
    const { socketTimeoutMS, ...options } = passedOn(name, ...args).at(-1) as Record<string, unknown>;
    expect(options).toEqual(expected);
    // The connection is given up later than the database itself would end the command.
    expect(socketTimeoutMS).toBeGreaterThan(expected.maxTimeMS);
  });

  describe('on a database', () => {
    let database: TestDatabase;
    beforeAll(async () => {
      database = await openTestDatabase();
    });
    afterAll(() => database.drop());

    it('ends a read that takes longer, through Mongoose and through the driver', async () => {
      const { connection } = database;
      const model = connection.model('Slow', new Schema({ _id: Number }, { collection: 'slow' }));
      await model.collection.insertMany(Array.from({ length: 500 }, (_, _id) => ({ _id })) as never);
      const work = {
        $reduce: { input: { $range: [0, 200_000] }, initialValue: 0, in: { $max: ['$$value', '$$this'] } },
      };
      // Some ten milliseconds for each document.
      const slow = { $expr: { $gt: [work, -1] } };
      const limits = { maxTimeMS: 20 };
      await expect(model.aggregate([{ $match: slow }]).option(limits)).rejects.toMatchObject({ code: 50 });
      await expect(model.collection.find(slow, limits).toArray()).rejects.toMatchObject({ code: 50 });
      await expect(model.collection.updateMany(slow, { $set: { x: 1 } }, limits)).rejects.toMatchObject({
        code: 50,
      });
    });
  });
});
