import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { startTestApp, type TestApp } from '../src/index.ts';

const dayMs = 24 * 60 * 60_000;
const outboxes = ['erasures', 'pushes', 'applerevocations', 'applenotifications'];

let app: TestApp;
let mongo: MongoClient;
beforeAll(async () => {
  app = await startTestApp();
  mongo = await MongoClient.connect(app.mongoUri);
});
afterAll(async () => {
  await mongo.close();
  await app.close();
});

it('deletes rows of every outbox 7 days after they were done (PRIV-10)', async () => {
  const now = app.clock.now();
  const rowOf = (_id: string, doneAt: number) => ({
    _id,
    payload: null,
    createdAt: new Date(doneAt),
    dueAt: null,
    attempts: 1,
    doneAt: new Date(doneAt),
  });
  const rows = (name: string) => mongo.db().collection<{ _id: string }>(name);
  for (const name of outboxes)
    await rows(name).insertMany([rowOf('old', now - 7 * dayMs), rowOf('young', now - 7 * dayMs + 60_000)]);
  await app.jobs.run('erasure-ledger');
  await app.jobs.run('inbox-retention');
  await app.jobs.run('auth-cleanup');
  const left = await Promise.all(
    outboxes.map(async (name) => [name, (await rows(name).find().toArray()).map(({ _id }) => _id)] as const),
  );
  expect(left).toEqual(outboxes.map((name) => [name, ['young']]));
});
