import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { openTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createOutboxStore } from './outbox-store.ts';
import { createOutboxWorker } from './outbox-worker.ts';

const dayMs = 24 * 60 * 60_000;
let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.drop());

it('removes rows 7 days after they were done or given up, and never an open one', async () => {
  let now = Date.parse('2026-10-21T10:00:00Z');
  const store = createOutboxStore<{ fails: boolean }>(database.connection, 'testjobs');
  await store.ensureIndexes();
  const worker = createOutboxWorker({
    name: 'test',
    store,
    handle: ({ payload }) => (payload.fails ? Promise.reject(new Error('down')) : Promise.resolve()),
    giveUpAfterMs: dayMs,
    clock: { now: () => now },
    log: createLogger({ level: 'silent' }),
  });
  const rows = async () => {
    const docs = await database.connection.collection<{ _id: string }>('testjobs').find().toArray();
    return docs.map(({ _id }) => _id).sort();
  };
  const keptAt = async (instant: number) => {
    await store.removeLongDone(instant);
    return rows();
  };

  await store.add({ id: 'done', payload: { fails: false }, now });
  await store.add({ id: 'failing', payload: { fails: true }, now });
  await worker.run();
  const doneAt = now;
  now += dayMs;
  await worker.run();
  const givenUpAt = now;
  await store.add({ id: 'open', payload: { fails: true }, now });
  await worker.run();

  expect(await keptAt(doneAt + 7 * dayMs - 1)).toEqual(['done', 'failing', 'open']);
  expect(await keptAt(doneAt + 7 * dayMs)).toEqual(['failing', 'open']);
  expect(await keptAt(givenUpAt + 7 * dayMs - 1)).toEqual(['failing', 'open']);
  expect(await keptAt(givenUpAt + 7 * dayMs)).toEqual(['open']);
  expect(await keptAt(givenUpAt + 1000 * dayMs)).toEqual(['open']);
});
