import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { eventually } from '@pufftrack/testkit/eventually';
import { openTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { defineJob, type Job, type JobRun } from './job.ts';
import { createJobs, type Jobs } from './job-runner.ts';
import { createJobStore, type JobStore } from './job-store.ts';
import { hourMs, minuteMs } from '../../domain/durations.ts';
import { connectMongo } from '../mongo/connect.ts';

const hourly = { everyMs: hourMs, offsetMs: 5 * minuteMs };
const iso = (ms: number) => new Date(ms).toISOString();
const log = createLogger({ level: 'silent' });

describe('jobs', () => {
  let database: TestDatabase;
  let store: JobStore;
  let now: number;
  let closes: (() => Promise<unknown>)[];

  beforeEach(async () => {
    database = await openTestDatabase();
    store = createJobStore(database.connection);
    await store.ensureIndexes();
    now = Date.parse('2026-10-21T10:00:00Z');
    closes = [];
  });
  afterEach(async () => {
    for (const close of closes) await close();
    await database.drop();
  });

  /** A process of its own, as far as the database can tell. */
  const worker = async (job: Job, leaseMs = 20_000): Promise<Jobs> => {
    const connection = await connectMongo(database.uri);
    const jobs = createJobs({
      store: createJobStore(connection),
      scheduled: [job],
      all: [job],
      clock: { now: () => now },
      log,
      metrics: createMetrics(),
      leaseMs,
    });
    closes.push(() => connection.close());
    return jobs;
  };
  const job = (run: (run: JobRun<{ at: number }>) => Promise<void>): Job =>
    defineJob({
      name: 'counting',
      summary: 'counts',
      ...hourly,
      progress: z.object({ at: z.number() }),
      run: async (given) => {
        await run(given);
        return { counted: 1 };
      },
    });

  it('run each due window once, however many workers look', async () => {
    const windows: string[] = [];
    const counting = job(({ from, to }) => {
      windows.push(`${iso(from)} ${iso(to)}`);
      return Promise.resolve();
    });
    const workers = await Promise.all([worker(counting), worker(counting), worker(counting)]);
    const look = async () => {
      await Promise.all(workers.flatMap((jobs) => [jobs.runDue(), jobs.runDue()]));
    };
    await look();
    await look();
    expect(windows).toEqual(['2026-10-21T08:05:00.000Z 2026-10-21T09:05:00.000Z']);
    now += 10 * minuteMs;
    await look();
    now += 5 * hourMs;
    await look();
    expect(windows.slice(1)).toEqual([
      '2026-10-21T09:05:00.000Z 2026-10-21T10:05:00.000Z',
      '2026-10-21T10:05:00.000Z 2026-10-21T15:05:00.000Z',
    ]);
  });

  it('do not run a window again for a worker that was slow to take it', async () => {
    const claiming = (owner: string) => ({
      owner,
      leaseMs: 20_000,
      now,
      due: () => ({ from: now - hourMs, to: now }),
    });
    const connection = await connectMongo(database.uri);
    closes.push(() => connection.close());
    const slow = createJobStore(connection);
    const jobs = connection.collection('jobs');
    const updateOne = jobs.updateOne.bind(jobs);
    let goOn = () => {};
    let reached = () => {};
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    const hasRead = new Promise<void>((resolve) => (reached = resolve));
    Reflect.set(jobs, 'updateOne', async (...asked: Parameters<typeof updateOne>) => {
      reached();
      await gate;
      return updateOne(...asked);
    });
    const late = slow.claim('counting', claiming('slow'));
    await hasRead;
    const claim = await store.claim('counting', claiming('quick'));
    expect(claim).toMatchObject({ owner: 'quick' });
    if (claim && 'job' in claim) await store.complete(claim);
    goOn();
    expect(await late).toBeUndefined();
  });

  it('are continued from what was saved when a worker is gone and its lease runs out', async () => {
    const seen: (number | undefined)[] = [];
    let reached = () => {};
    const saved = new Promise<void>((resolve) => (reached = resolve));
    const dead = await worker(
      job(async ({ save }) => {
        await save({ at: 7 });
        reached();
        await new Promise<void>(() => undefined); // as a process that was killed: no word any more
      }),
      100_000,
    );
    void dead.runDue();
    await saved;
    const other = await worker(
      job(({ progress }) => {
        seen.push(progress?.at);
        return Promise.resolve();
      }),
    );
    expect(await other.runDue()).toEqual([]);
    await database.connection.collection('jobs').updateMany({}, { $set: { leaseUntil: new Date(0) } });
    expect(await other.runDue()).toMatchObject([{ outcome: 'done', attempts: 2 }]);
    expect(seen).toEqual([7]);
  });

  it('keep their lease while they work, and end where another has taken it', async () => {
    let taken: unknown;
    let rounds = 0;
    const slow = await worker(
      job(async ({ save, signal }) => {
        while (rounds < 1_000) {
          if (++rounds === 10)
            await database.connection.collection('jobs').updateMany({}, { $set: { owner: 'another' } });
          await save({ at: rounds }).catch((error: unknown) => {
            taken = error;
            throw error;
          });
          if (signal.aborted) return;
        }
      }),
    );
    expect(await slow.runDue()).toEqual([]);
    expect(taken).toMatchObject({ message: 'another worker has taken over' });
    expect(rounds).toBe(10);
    const [row] = await slow.list();
    expect(row).toMatchObject({ running: true, doneUntil: undefined });
  });

  it('renew their lease while a run saves nothing', async () => {
    let free = () => {};
    let begin = () => {};
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const long = await worker(
      job(() => {
        begin();
        return new Promise<void>((resolve) => (free = resolve));
      }),
      6_000,
    );
    const running = long.runDue();
    const other = await worker(job(() => Promise.resolve()));
    await begun;
    const leaseUntil = async () =>
      (await database.connection.collection<{ leaseUntil: Date }>('jobs').findOne())?.leaseUntil.getTime() ??
      0;
    const first = await leaseUntil();
    await eventually('the lease is renewed', async () => (await leaseUntil()) > first);
    expect(await other.runDue()).toEqual([]);
    free();
    expect(await running).toMatchObject([{ outcome: 'done', attempts: 1 }]);
  });

  it('that stop are given back at once, with what they saved', async () => {
    let reached = () => {};
    const saved = new Promise<void>((resolve) => (reached = resolve));
    const leaving = await worker(
      job(async ({ save, signal }) => {
        await save({ at: 3 });
        reached();
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve);
        });
        await save({ at: 4 });
      }),
    );
    const running = leaving.runDue();
    await saved;
    await leaving.stop();
    expect(await running).toEqual([]);
    let progress: unknown;
    const other = await worker(
      job((run) => {
        progress = run.progress;
        return Promise.resolve();
      }),
    );
    expect(await other.runDue()).toMatchObject([{ outcome: 'done' }]);
    expect(progress).toEqual({ at: 3 });
  });

  it('that fail say so, wait longer each time, and are tried again', async () => {
    let broken = true;
    const jobs = await worker(job(() => (broken ? Promise.reject(new Error('no')) : Promise.resolve())));
    expect(await jobs.runDue()).toMatchObject([{ outcome: 'failed', error: 'no', attempts: 1 }]);
    expect(await jobs.runDue()).toEqual([]);
    expect(await jobs.list()).toMatchObject([
      {
        name: 'counting',
        failures: 1,
        running: false,
        lastRun: { outcome: 'failed', error: 'no' },
        nextRunAt: Date.parse('2026-10-21T10:05:00Z'),
      },
    ]);
    broken = false;
    await database.connection.collection('jobs').updateMany({}, { $set: { leaseUntil: new Date(0) } });
    expect(await jobs.runDue()).toMatchObject([{ outcome: 'done', attempts: 2, figures: { counted: 1 } }]);
    expect(await jobs.list()).toMatchObject([
      { failures: 0, doneUntil: Date.parse('2026-10-21T09:05:00Z'), lastRun: { outcome: 'done' } },
    ]);
  });

  it('run by hand for any date, beside the schedule', async () => {
    const windows: string[] = [];
    const jobs = await worker(
      job(({ from, to }) => {
        windows.push(`${iso(from)} ${iso(to)}`);
        return Promise.resolve();
      }),
    );
    expect(await jobs.run('counting', '2026-10-01')).toMatchObject({ byHand: true, outcome: 'done' });
    expect(windows).toEqual(['2026-10-01T00:00:00.000Z 2026-10-02T00:00:00.000Z']);
    expect(await jobs.list()).toMatchObject([{ doneUntil: undefined, lastRun: { byHand: true } }]);
    await expect(jobs.run('nothing')).rejects.toThrow('Unknown job nothing; jobs: counting.');
  });
});
