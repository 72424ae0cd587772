import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '../../../platform/ids.ts';
import { openTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { logNow, openLog, puffNumber, type LogProcess } from '../../../../test/puff-log.ts';
import { dateLateEntries } from './late-entries-migration.ts';
import type { PuffValues } from '../domain/puff.ts';

const hour = 3_600_000;

describe('dateLateEntries', () => {
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

  it('dates late removals of an older version like new ones', async () => {
    const person = newId();
    const [early, late] = [puffNumber(0), { ...puffNumber(40), timestamp: logNow - hour }];
    await here.log.append(person, [early, late], 0);
    const change = (target: string, more: { values?: Partial<PuffValues>; deletedAt?: number }) =>
      here.log.change(person, {
        target,
        at: logNow,
        dayStartHour: 0,
        decide: (found) =>
          found && { values: { ...found.puff, ...more.values }, deletedAt: more.deletedAt ?? null },
      });
    await change(early.id, { values: { quantity: 9 } });
    await change(early.id, { values: { quantity: 8 } });
    await change(early.id, { values: { trigger: 'coffee' } });
    await change(early.id, { values: { wall: { ...early.wall, hour: early.wall.hour - 1 } } });
    await change(early.id, { deletedAt: logNow });
    await change(early.id, {});
    await change(late.id, { deletedAt: logNow });

    const records = database.connection.collection('puffrecords');
    const dated = () =>
      records
        .find({ kind: 'change' }, { projection: { _id: 0, rev: 1, timestamp: 1 }, sort: { rev: 1 } })
        .toArray();
    const asNew = await dated();
    expect(asNew.filter(({ timestamp }) => timestamp !== undefined).map(({ rev }) => rev as number)).toEqual([
      4, 6, 7,
    ]);
    await records.updateMany({ kind: 'change' }, { $unset: { timestamp: '' } });
    await dateLateEntries(database.connection);
    expect(await dated()).toEqual(asNew);
    await dateLateEntries(database.connection);
    expect(await dated()).toEqual(asNew);
  });
});
