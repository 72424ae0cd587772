// @not-split: runs job workers with every target
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { targetNames } from '@pufftrack/server';
import { MongoClient, type Db } from 'mongodb';
import { eventually, spawnProgram, startTestApp, type TestApp } from '../src/index.ts';
import { multiply, type Doc } from './many-people.ts';

const people = 400;
const evening = '2026-10-20T19:00:00Z';
const morning = '2026-10-22T22:10:00Z';
const copy = async (from: Db, to: Db, names: readonly string[]) => {
  for (const name of names)
    await to.collection<Doc>(name).insertMany(await from.collection<Doc>(name).find().toArray());
};

describe('a job whose worker is killed during a run', () => {
  let apps: TestApp[];
  let mongo: MongoClient;
  let uri: string;
  let cleanUri: string;

  const open = async (options: Parameters<typeof startTestApp>[0]) => {
    const app = await startTestApp({ targets: targetNames, ...options });
    apps.push(app);
    return app;
  };
  const dbOf = (address: string) => mongo.db(new URL(address).pathname.slice(1));

  /** Two databases with the same uncounted people. */
  beforeEach(async () => {
    apps = [];
    const first = await open({ now: evening });
    uri = first.mongoUri;
    mongo = await MongoClient.connect(uri);
    const alice = await first.person('alice');
    for (const timestamp of ['2026-10-20T07:10:00Z', '2026-10-20T18:30:00Z', '2026-10-20T18:31:00Z'])
      await alice.client.call('recordPuff', { body: { timestamp, quantity: 2 } });
    await first.drain();
    await multiply(dbOf(uri), alice.userId, people);
    const clean = await open({ now: evening });
    cleanUri = clean.mongoUri;
    await copy(dbOf(uri), dbOf(cleanUri), ['users', 'puffrecords']);
    for (const app of [first, clean])
      for (const job of ['daily-stats', 'aggregate']) await app.jobs.runDue(job);
    for (const app of apps.splice(0)) await app.close();
  });
  afterEach(async () => {
    for (const app of apps) await app.close();
    for (const address of [uri, cleanUri]) await dbOf(address).dropDatabase();
    await mongo.close();
  });

  const killInTheMiddle = async (job: string) => {
    const program = spawnProgram('packages/testkit/test/job-worker.ts', {
      MONGODB_URI: uri,
      NOW: morning,
      JOB: job,
    });
    const jobs = dbOf(uri).collection<Doc>('jobs');
    await eventually('the worker has saved progress', async () => {
      if (program.child.exitCode !== null)
        throw new Error(`the worker has ended:
${program.output()}`);
      const saved = { _id: job, 'current.progress': { $ne: null } };
      return (await jobs.countDocuments(saved)) > 0;
    });
    program.child.kill('SIGKILL');
    await program.ended;
    return jobs.findOne({ _id: job });
  };

  it.each([
    ['daily-stats', 'userstats'],
    ['aggregate', 'platformfigures'],
  ])('%s ends with the result of one clean run when two workers take over', async (job, collection) => {
    const clean = await open({ mongoUri: cleanUri, now: morning });
    expect(await clean.jobs.runDue(job)).toMatchObject([{ outcome: 'done', attempts: 1 }]);

    const left = await killInTheMiddle(job);
    expect(left).toMatchObject({ current: { attempts: 1 } });
    expect(left?.['owner']).not.toBeNull();

    const workers = await Promise.all([1, 2].map(() => open({ mongoUri: uri, now: morning })));
    expect(await Promise.all(workers.map((worker) => worker.jobs.runDue(job)))).toEqual([[], []]);
    await dbOf(uri)
      .collection<Doc>('jobs')
      .updateOne({ _id: job }, { $set: { leaseUntil: new Date(0) } });
    const runs = await Promise.all(workers.map((worker) => worker.jobs.runDue(job)));
    expect(runs.flat()).toMatchObject([{ job, outcome: 'done', attempts: 2 }]);

    const all = (address: string) =>
      dbOf(address).collection<Doc>(collection).find().sort({ _id: 1 }).toArray();
    const [after, expected] = [await all(uri), await all(cleanUri)];
    expect(expected.length).toBeGreaterThan(50);
    expect(after).toEqual(expected);
  });
});
