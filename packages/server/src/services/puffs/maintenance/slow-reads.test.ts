import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { UserStats } from '@pufftrack/contract';
import { MongoServerError } from 'mongodb';
import type { Connection } from 'mongoose';
import { pino } from 'pino';
import { openTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { logNow, openLog, puffNumber } from '../../../../test/puff-log.ts';
import { requestDeadlineMs } from '../../../platform/concurrency/deadline.ts';
import { newId } from '../../../platform/ids.ts';
import { connectMongo } from '../../../platform/mongo/connect.ts';
import { readLimitMs } from '../../../platform/mongo/time-limits.ts';
import { createMetrics } from '../../../platform/telemetry/metrics.ts';
import { restorePurgeMs } from '../domain/puff.ts';
import { createPuffs, type Puffs } from '../index.ts';
import { foldLimit } from '../log/fold-limit.ts';

const collections = ['puffrecords', 'puffmonths', 'puffpeople'];

/** Every read of the log and its checkpoints takes `takesMs`: one with a lower limit is ended, as the database does. */
const slowDown = (connection: Connection, takesMs: number) => {
  for (const name of collections) {
    const collection = connection.collection(name) as unknown as Record<
      string,
      (...args: unknown[]) => unknown
    >;
    for (const [method, at] of [
      ['find', 1],
      ['findOne', 1],
      ['aggregate', 1],
    ] as const) {
      const read = collection[method]?.bind(collection);
      collection[method] = (...args) => {
        const { maxTimeMS = readLimitMs } = (args[at] ?? {}) as { maxTimeMS?: number };
        if (maxTimeMS >= takesMs) return read?.(...args);
        const end = () =>
          Promise.reject(new MongoServerError({ code: 50, message: `ended after ${maxTimeMS} ms` }));
        return method === 'findOne' ? end() : { toArray: end };
      };
    }
  }
};

describe('a long log on a slow database', () => {
  let database: TestDatabase;
  let connections: Connection[];
  let person: string;

  beforeEach(async () => {
    database = await openTestDatabase();
    connections = [];
    person = newId();
    const { log, close } = await openLog(database.uri);
    const puffs = Array.from({ length: 60 }, (_, index) => puffNumber(index * 9));
    await log.append(person, puffs, 0);
    await log.change(person, {
      target: puffs[3]?.id ?? '',
      at: logNow,
      dayStartHour: 0,
      decide: (found) => found && { values: found.puff, deletedAt: logNow },
    });
    await log.stop();
    await close();
  });
  afterEach(async () => {
    for (const connection of connections) await connection.close();
    await database.drop();
  });

  /** The service in a process of its own that has read nothing yet. */
  const open = async (takesMs: number, now = logNow): Promise<Puffs> => {
    const connection = await connectMongo(database.uri);
    connections.push(connection);
    const owner = (userId: string) =>
      ({ userId, name: null, timeZone: 'UTC', dayStartHour: 0, product: 'vape' }) as const;
    const puffs = createPuffs({
      connection,
      clock: { now: () => now },
      log: pino({ level: 'silent' }),
      metrics: createMetrics(),
      users: { settings: owner, peek: owner, findDeletedUsers: () => Promise.resolve([]) },
      consents: { requireConsents: () => undefined },
      stats: { statsOf: () => ({}) as UserStats },
      liveEvents: { puffsRecorded: () => undefined, puffsChanged: () => undefined },
    });
    slowDown(connection, takesMs);
    return puffs;
  };
  const run = (puffs: Puffs, name: string) =>
    puffs.jobs
      .find((job) => job.name === name)
      ?.run({
        from: 0,
        to: logNow,
        progress: undefined,
        save: () => Promise.resolve(),
        signal: new AbortController().signal,
        log: pino({ level: 'silent' }),
      });
  const drop = (...names: string[]) =>
    Promise.all(names.map((name) => database.connection.collection(name).deleteMany({})));

  it('limits the reads of a fold to less than the deadline of a request', () => {
    expect(foldLimit.maxTimeMS).toBeGreaterThan(4 * readLimitMs);
    expect(foldLimit.maxTimeMS).toBeLessThan(requestDeadlineMs - 2_000);
  });

  it.each([
    { source: 'its checkpoints', dropped: [] },
    { source: 'recounts of its months', dropped: ['puffmonths'] },
    { source: 'the log alone', dropped: ['puffmonths', 'puffpeople'] },
  ])('is folded by the first request from $source', async ({ dropped }) => {
    await drop(...dropped);
    const slow = await open(foldLimit.maxTimeMS);
    expect(await slow.history(person, 0)).toMatchObject({ rev: 61, records: 59 });
    await slow.stop();
  });

  it('is read together with others from its checkpoints and its log', async () => {
    for (const dropped of [[], ['puffmonths', 'puffpeople']]) {
      await drop(...dropped);
      const slow = await open(foldLimit.maxTimeMS);
      const histories = await slow.histories(new Map([[person, 61]]));
      expect(histories.get(person)).toMatchObject({ rev: 61, records: 59 });
      await slow.stop();
    }
  });

  it('fails a request when a read takes longer than the limit', async () => {
    const slow = await open(foldLimit.maxTimeMS + 1);
    await expect(slow.history(person)).rejects.toMatchObject({ code: 50 });
    await slow.stop();
  });

  it.each(['reconcile', 'purge'])('is read by the job %s with the limit of jobs', async (name) => {
    const slow = await open(30_000, logNow + restorePurgeMs + 1);
    await drop('puffmonths');
    expect(await run(slow, name)).toEqual(name === 'purge' ? { purged: 1 } : { people: 1, drift: 0 });
    await slow.stop();
  });
});
