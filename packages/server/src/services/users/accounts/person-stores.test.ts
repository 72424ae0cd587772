import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import { createBlockStore } from '../safety/block-store.ts';
import { createInviteStore } from '../friends/invite-store.ts';
import { createReportStore } from '../safety/report-store.ts';

describe('blocks, invites and reports of a user', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await openTestDatabase();
  });
  afterEach(() => database.drop());

  it('are deleted with the account, and those of other users are kept', async () => {
    const { connection } = database;
    const blocks = createBlockStore(connection);
    const invites = createInviteStore(connection);
    const reports = createReportStore(connection);
    for (const store of [blocks, invites, reports]) await store.ensureIndexes();
    const pairs = [
      ['ann', 'ben'],
      ['ben', 'ann'],
      ['ben', 'cleo'],
    ] as const;
    await inTransaction(connection, async (tx) => {
      for (const [one, other] of pairs) {
        await blocks.add({ blocker: one, blocked: other, name: null, since: 1 }, tx);
        const content = { reason: 'spam', note: null, at: 1 } as const;
        await reports.save({ reporter: one, reported: other, ...content }, tx);
        const times = { createdAt: 1, expiresAt: 2 };
        await invites.insert({ id: `of ${one} to ${other}`, inviter: one, ...times, usedBy: other }, tx);
      }
    });
    for (const store of [blocks, invites, reports]) {
      expect(await store.removeAll('ann')).toBe(2);
      expect(await store.removeAll('ann')).toBe(0);
    }
    for (const name of ['friendblocks', 'friendinvites', 'userreports']) {
      const rest = await connection.collection(name).find().toArray();
      expect(JSON.stringify(rest)).not.toMatch(/"ann"/);
      expect(JSON.stringify(rest)).toMatch(/"cleo"/);
    }
    expect(await blocks.list('ben')).toEqual([{ blocker: 'ben', blocked: 'cleo', name: null, since: 1 }]);
  });
});
