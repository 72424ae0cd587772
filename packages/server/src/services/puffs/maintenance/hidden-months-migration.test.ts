import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { logNow, openLog, puffNumber, type LogProcess } from '../../../../test/puff-log.ts';
import { dropHiddenMonths } from './hidden-months-migration.ts';

describe('dropHiddenMonths', () => {
  let database: TestDatabase;
  let here: LogProcess;

  beforeEach(async () => {
    database = await openTestDatabase();
    here = await openLog(database.uri);
  });
  afterEach(async () => {
    await here.log.stop();
    await here.close();
    await database.drop();
  });

  it('deletes only hidden month rows', async () => {
    const { signal } = new AbortController();
    const rows = async () =>
      (await database.connection.collection('puffmonths').find().toArray())
        .map(({ _id }) => String(_id))
        .sort();
    // October and November for both.
    for (const person of ['ann', 'ben']) await here.log.append(person, [puffNumber(0), puffNumber(690)], 0);
    await here.log.flush();
    await here.log.clear('ann', logNow, logNow + 1);
    await here.log.append('ann', [puffNumber(1)], 0);
    await here.log.flush();
    expect(await rows()).toEqual(['ann:2026-10', 'ann:2026-11', 'ben:2026-10', 'ben:2026-11']);

    for (let times = 0; times < 2; times++) {
      await dropHiddenMonths(database.connection, signal);
      expect(await rows()).toEqual(['ann:2026-10', 'ben:2026-10', 'ben:2026-11']);
    }
    expect(await here.log.history('ann', 0)).toMatchObject({ rev: 4, total: puffNumber(1).quantity });
  });
});
