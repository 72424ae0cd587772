// @not-split: measures one process with an account at its bounds
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { MongoClient } from 'mongodb';
import { targetNames } from '@pufftrack/server';
import { startTestApp, type Person, type TestApp } from '../src/index.ts';
import { calls, openAccounts, type Accounts } from './bounds.ts';

const rounds = 60;
const longestStallMs = 250;

describe('an account whose histories are at their bounds', () => {
  let app: TestApp;
  let mongo: MongoClient;
  let accounts: Accounts;

  beforeAll(async () => {
    app = await startTestApp({ targets: targetNames });
    mongo = await MongoClient.connect(app.mongoUri);
    accounts = await openAccounts(app, mongo.db());
  });
  afterAll(async () => {
    await mongo.close();
    await app.close();
  });

  it.each(calls)('takes at most 3 times as long as an empty one where it %s', async (what, call) => {
    const times = { empty: [] as number[], full: [] as number[] };
    const delay = monitorEventLoopDelay({ resolution: 5 });
    const time = async (which: keyof Accounts) => {
      const { client }: Person = accounts[which];
      const begun = performance.now();
      await call(client);
      times[which].push(performance.now() - begun);
    };
    for (const which of ['empty', 'full'] as const) await time(which);
    delay.enable();
    // Alternating, so that both run on an equally loaded machine.
    for (let round = 0; round < rounds; round++)
      for (const which of ['empty', 'full'] as const) await time(which);
    delay.disable();
    const median = (all: number[]) => all.sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? NaN;
    const [empty, full, stall] = [median(times.empty), median(times.full), delay.max / 1e6];
    process.stdout.write(
      `${what}: ${empty.toFixed(1)} ms empty, ${full.toFixed(1)} ms full, longest stall ${stall.toFixed(0)} ms\n`,
    );
    expect(full / empty).toBeLessThanOrEqual(3);
    expect(stall).toBeLessThan(longestStallMs);
  });

  it('does not stall a process that serves it for the first time', async () => {
    const { mongoUri, clock, apple } = app;
    const other = await startTestApp({ targets: targetNames, mongoUri, world: { clock, apple } });
    try {
      const { client } = await other.person('bob');
      const delay = monitorEventLoopDelay({ resolution: 5 });
      delay.enable();
      const begun = performance.now();
      await client.call('getStats');
      const first = performance.now() - begun;
      delay.disable();
      const stall = delay.max / 1e6;
      process.stdout.write(`first read: ${first.toFixed(0)} ms, longest stall ${stall.toFixed(0)} ms\n`);
      expect(stall).toBeLessThan(longestStallMs);
    } finally {
      await other.close();
    }
  });
});
