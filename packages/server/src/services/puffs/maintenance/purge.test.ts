import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '../../../platform/ids.ts';
import { openTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { liveRecount } from '../../../../test/live-recount.ts';
import { logNow, openLog, puffNumber, type LogProcess } from '../../../../test/puff-log.ts';
import { createPurge } from './purge.ts';
import { createPurgeStore } from './purge-store.ts';
import { restorePurgeMs } from '../domain/puff.ts';

const json = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;
const canary = 'a-very-private-trigger';

describe('the content of deleted puffs', () => {
  let database: TestDatabase;
  let processes: LogProcess[];
  let person: string;

  const open = async () => {
    const process = await openLog(database.uri, { checkpointEveryMs: 1_000_000 });
    processes.push(process);
    return process;
  };
  const purgeAt = (now: number, { log, checkpoints }: LogProcess) =>
    createPurge({
      store: createPurgeStore(database.connection),
      puffLog: log,
      checkpoints,
      clock: { now: () => now },
    })();
  const record = async ({ log }: LogProcess, count: number) => {
    const puffs = Array.from({ length: count }, (_, index) => ({
      ...puffNumber(index * 9),
      trigger: canary,
    }));
    await log.append(person, puffs, 0);
    return puffs;
  };
  const change = ({ log }: LogProcess, target: string, deletedAt: number | null, quantity?: number) =>
    log.change(person, {
      target,
      at: logNow,
      dayStartHour: 0,
      decide: (found) =>
        found && { values: { ...found.puff, quantity: quantity ?? found.puff.quantity }, deletedAt },
    });
  const rowsWithContent = async () => {
    const rows = await database.connection.collection('puffrecords').find({ person }).toArray();
    return rows.filter((row) => JSON.stringify(row).includes(canary));
  };
  const expectAgreement = async () => {
    await open();
    for (const { log } of processes)
      expect(json(await log.history(person, 0))).toEqual(await liveRecount(database.connection, person));
  };

  beforeEach(async () => {
    database = await openTestDatabase();
    processes = [];
    person = newId();
  });
  afterEach(async () => {
    for (const process of processes) {
      await process.log.stop();
      await process.close();
    }
    await database.drop();
  });

  it('is removed after 30 days with all edits, and every process still counts correctly', async () => {
    const [here, behind] = [await open(), await open()];
    const [first, second, third] = await record(here, 6);
    await behind.log.history(person); // knows the puffs, and nothing of what follows
    await change(here, first!.id, null, 9);
    await change(here, first!.id, logNow);
    await change(here, second!.id, logNow);
    await change(here, second!.id, null); // restored
    expect(await purgeAt(logNow + restorePurgeMs - 1, here)).toBe(0);
    expect(await purgeAt(logNow + restorePurgeMs, here)).toBe(1);
    const left = await rowsWithContent();
    expect(left.some(({ _id, target }) => String(_id).endsWith(first!.id) || target === first!.id)).toBe(
      false,
    );
    expect(left.length).toBeGreaterThan(4);
    expect(await purgeAt(logNow + restorePurgeMs, here)).toBe(0);
    await expectAgreement();

    expect((await here.store.find(person, first!.id))?.content).toBeUndefined();
    const feed = await here.store.readFeedAfter(person, 0, 100);
    expect(feed.at(-3)).toMatchObject({ kind: 'change', puff: { id: first!.id, latestRev: 8 } });
    await here.checkpoints.drop(person);
    await change(here, third!.id, null, 3);
    await expectAgreement();
  });

  it('is removed within a day after a deletion of all', async () => {
    const [here, behind] = [await open(), await open()];
    const [first] = await record(here, 30);
    await behind.log.history(person);
    await change(here, first!.id, null, 9);
    await here.log.clear(person, logNow, logNow + 1);
    const after = await record(here, 1).catch(() => undefined);
    expect(after).toBeDefined();
    expect(await purgeAt(logNow + 1, here)).toBe(1);
    expect(await rowsWithContent()).toHaveLength(1);
    expect(await purgeAt(logNow + 1, here)).toBe(0);
    await expectAgreement();
  });

  it('is removed from month rows, which contain its day and hour', async () => {
    const rows = () =>
      database.connection
        .collection('puffmonths')
        .find({ person }, { projection: { _id: 0, month: 1, rev: 1, trims: 1 }, sort: { month: 1 } })
        .toArray();
    const here = await open();
    // 700 half hours, from the 24th of October to the 8th of November.
    const puffs = [puffNumber(0), puffNumber(2), puffNumber(690), puffNumber(691)];
    await here.log.append(person, puffs, 0);
    await change(here, puffs[0]!.id, logNow);
    await here.log.flush();
    expect(await rows()).toEqual([
      { month: '2026-10', rev: 5, trims: { 24: expect.any(Array) } },
      { month: '2026-11', rev: 5, trims: {} },
    ]);
    expect(await purgeAt(logNow + restorePurgeMs, here)).toBe(1);
    expect(await rows()).toEqual([{ month: '2026-11', rev: 5, trims: {} }]);

    // A row from before the deletion: the deleting process had not loaded the month.
    await expectAgreement();
    await change(here, puffs[2]!.id, logNow);
    await here.log.flush();
    await database.connection
      .collection('puffmonths')
      .updateOne({ month: '2026-11', person }, { $set: { rev: 5, factsRev: 5, trims: {}, trimsRev: 5 } });
    expect(await purgeAt(logNow + restorePurgeMs, here)).toBe(1);
    expect((await rows()).map(({ month }) => String(month))).not.toContain('2026-11');
    await expectAgreement();

    await change(here, puffs[3]!.id, null, 7);
    await here.log.flush();
    expect((await rows()).map(({ month }) => String(month))).toContain('2026-11');
    await here.log.clear(person, logNow, logNow + 1);
    await here.log.append(person, [puffNumber(5)], 0);
    expect(await purgeAt(logNow + 1, here)).toBe(1);
    expect(await rows()).toEqual([{ month: '2026-10', rev: 9, trims: {} }]);
    await expectAgreement();
  });

  it('stays while no checkpoint contains the deletion', async () => {
    const here = await open();
    const [first] = await record(here, 2);
    await change(here, first!.id, logNow);
    const noCheckpoints = {
      ...here,
      checkpoints: { ...here.checkpoints, recordStrip: () => Promise.resolve(false) },
    };
    expect(await purgeAt(logNow + restorePurgeMs, noCheckpoints)).toBe(0);
    expect(await rowsWithContent()).toHaveLength(3);
  });
});
