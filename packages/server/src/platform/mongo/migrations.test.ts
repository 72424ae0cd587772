import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@pufftrack/testkit/eventually';
import { openTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { createLogger } from '../telemetry/logger.ts';
import { connectMongo } from './connect.ts';
import { migrate, type Migration } from './migrations.ts';

const log = createLogger({ level: 'silent' });
const clock = { now: () => Date.parse('2026-10-21T10:00:00Z') };

describe('migrations', () => {
  let database: TestDatabase;
  let ran: string[];
  let closes: (() => Promise<unknown>)[];

  beforeEach(async () => {
    database = await openTestDatabase();
    [ran, closes] = [[], []];
  });
  afterEach(async () => {
    for (const close of closes) await close();
    await database.drop();
  });

  const step = (id: string, work: Migration['run'] = () => Promise.resolve()): Migration => ({
    id,
    run: async (context) => {
      ran.push(id);
      await work(context);
    },
  });
  /** A process of its own, as far as the database can tell. */
  const start = async (
    migrations: readonly Migration[],
    more: Partial<Parameters<typeof migrate>[0]> = {},
  ) => {
    const connection = await connectMongo(database.uri);
    closes.push(() => connection.close());
    return migrate({
      connection,
      clock,
      log,
      migrations,
      indexes: () => {
        ran.push('indexes');
        return Promise.resolve();
      },
      ...more,
    });
  };
  const rows = () => database.connection.collection('migrations').find().sort({ _id: 1 }).toArray();

  it('run once, in order, before the indexes, where two processes start on an empty database', async () => {
    const steps = [step('0001-first'), step('0002-second')];
    const answers = await Promise.all([start(steps), start(steps)]);
    expect(answers.flat()).toEqual(['0001-first', '0002-second']);
    expect(ran).toEqual(['0001-first', '0002-second', 'indexes', 'indexes']);
    expect(await rows()).toMatchObject([
      { _id: '0001-first', startedAt: new Date(clock.now()), endedAt: new Date(clock.now()) },
      { _id: '0002-second', endedAt: new Date(clock.now()) },
    ]);
    expect(await start([...steps, step('0003-third')])).toEqual(['0003-third']);
  });

  it('that are killed in the middle go on at the next start, to the same end', async () => {
    const docs = database.connection.collection<{ _id: number; doubled?: number }>('numbers');
    await docs.insertMany(Array.from({ length: 10 }, (_, index) => ({ _id: index })));
    let killAfter = 4;
    const doubling = step('0001-double', async () => {
      for await (const { _id } of docs.find({ doubled: { $exists: false } })) {
        if (killAfter-- === 0) await new Promise<void>(() => undefined);
        await docs.updateOne({ _id }, { $set: { doubled: _id * 2 } });
      }
    });
    // The one that hangs keeps its connection and renews nothing: its heartbeat is slower than its lease.
    void start([doubling], { leaseMs: 600_000 }).catch(() => undefined);
    const done = { doubled: { $exists: true } };
    await eventually('the first four are done', async () => (await docs.countDocuments(done)) === 4);
    await database.connection.collection('migrationlease').updateMany({}, { $set: { until: new Date(0) } });
    killAfter = -1;
    expect(await start([doubling, step('0002-after')])).toEqual(['0001-double', '0002-after']);
    expect(await docs.countDocuments({ doubled: { $exists: true } })).toBe(10);
    expect((await docs.find().toArray()).every(({ _id, doubled }) => doubled === _id * 2)).toBe(true);
  });

  it('wait for a process that is at it, and take over where it was killed', async () => {
    await start([]);
    const leases = database.connection.collection('migrationlease');
    await leases.updateMany({}, [{ $set: { owner: 'killed', until: { $add: ['$$NOW', 600_000] } } }]);
    const started = start([step('0001-first')]);
    // Enough queries that a start which ignored the lease would have run its step by now.
    for (let query = 0; query < 20; query++) await rows();
    ran.push('the lease expires');
    await leases.updateMany({}, { $set: { until: new Date(0) } });
    expect(await started).toEqual(['0001-first']);
    expect(ran).toEqual(['indexes', 'the lease expires', '0001-first', 'indexes']);
  });

  it('that fail stop the start, by name, and are tried again by the next one', async () => {
    let broken = true;
    const steps = [
      step('0001-first'),
      step('0002-second', () => (broken ? Promise.reject(new Error('no space')) : Promise.resolve())),
      step('0003-third'),
    ];
    await expect(start(steps)).rejects.toThrow(
      /Migration 0002-second failed: no space\. Nothing after it has run/,
    );
    expect(ran).toEqual(['0001-first', '0002-second']);
    expect(await rows()).toMatchObject([{ _id: '0001-first' }, { _id: '0002-second', endedAt: null }]);
    broken = false;
    expect(await start(steps)).toEqual(['0002-second', '0003-third']);
  });

  it('of a newer version that have run leave the older one alone', async () => {
    await start([step('0001-first'), step('0002-second')]);
    expect(await start([step('0001-first')])).toEqual([]);
  });

  it('refuse names out of order', async () => {
    await expect(start([step('0002-b'), step('0001-a')])).rejects.toThrow('the numbers have to rise');
    await expect(start([step('first')])).rejects.toThrow('is not the name of a migration');
  });
});
