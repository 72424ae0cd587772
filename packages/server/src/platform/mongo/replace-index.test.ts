import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { replaceIndex } from './replace-index.ts';

describe('replaceIndex', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openTestDatabase();
  });
  afterAll(() => database.drop());

  it('creates the new index, drops the old one, and is safe to repeat', async () => {
    const notes = database.connection.collection('notes');
    await notes.createIndexes([{ key: { at: 1 } }]);
    const change = { collection: 'notes', made: { userId: 1, at: -1 } as const, dropped: 'at_1' };
    for (let run = 0; run < 2; run++) {
      await replaceIndex(database.connection, change);
      const names = (await notes.indexes()).map(({ name }) => name);
      expect(names).toEqual(['_id_', 'userId_1_at_-1']);
    }
  });
});
