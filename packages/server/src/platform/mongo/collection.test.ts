import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Schema } from 'mongoose';
import { openTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { collectionOf } from './collection.ts';

interface NoteDoc {
  _id: string;
  owner: string;
  at: Date | null;
}
const schema = new Schema<NoteDoc>({ _id: String, owner: String, at: Date });
schema.index({ owner: 1 }, { unique: true });

describe('collectionOf', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openTestDatabase();
  });
  afterAll(() => database.drop());

  it('creates the collection and the declared indexes, and is a no-op the second time', async () => {
    const { collection, ensureIndexes } = collectionOf(database.connection, 'notes', schema);
    await ensureIndexes();
    await ensureIndexes();
    const indexes = await collection.indexes();
    expect(indexes.map(({ key, unique }) => [key, unique ?? false])).toEqual([
      [{ _id: 1 }, false],
      [{ owner: 1 }, true],
    ]);
  });

  it('stores a document as it is given, without defaults or a version', async () => {
    const { collection } = collectionOf(database.connection, 'notes', schema);
    const doc = { _id: 'one', owner: 'alice', at: null };
    await collection.insertOne(doc);
    expect(await collection.findOne({ _id: 'one' })).toEqual(doc);
  });

  it('returns the same collection to a second store of one connection', () => {
    const [one, other] = [0, 1].map(() => collectionOf(database.connection, 'notes', schema).collection);
    expect(other).toBe(one);
  });
});
