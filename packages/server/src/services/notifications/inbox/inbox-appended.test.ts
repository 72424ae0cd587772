import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Connection } from 'mongoose';
import { openTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { servicesAlone } from '../../../../test/services-alone.ts';
import { ensureServiceIndexes } from '../../../app/migrations.ts';
import type { Services } from '../../../app/services.ts';
import { noBus, type Bus } from '../../../platform/bus/bus.ts';
import { newUuid } from '../../../platform/ids.ts';
import { connectMongo } from '../../../platform/mongo/connect.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';

const clock = { now: () => Date.UTC(2026, 9, 21, 10) };
let database: TestDatabase;
let otherConnection: Connection;
let here: Services;
let there: Services;

type Listeners = Map<string, (message: unknown) => void>;

/** What one process says, and whom it hears. */
const busTo = (said: Listeners, heard: Listeners): Bus => ({
  ...noBus,
  publish: (channel, message) => said.get(channel)?.(message),
  on: (channel, listener) => void heard.set(channel, listener),
});

beforeAll(async () => {
  database = await openTestDatabase();
  const toHere: Listeners = new Map();
  const toThere: Listeners = new Map();
  here = servicesAlone(database.connection, clock, busTo(toThere, toHere));
  otherConnection = await connectMongo(database.uri);
  there = servicesAlone(otherConnection, clock, busTo(toHere, toThere));
  await ensureServiceIndexes(here);
});
afterAll(async () => {
  await otherConnection.close();
  await database.drop();
});

it('a row that one process appends is delivered at once to the sockets of another', async () => {
  const { userId } = await inTransaction(database.connection, (tx) =>
    here.users.accounts.openAccount({ name: 'Ann', email: null, timeZone: 'UTC', consents: [] }, tx),
  );
  const emitted: [name: string, payload: unknown][] = [];
  let onEmit = () => {};
  await there.notifications.onConnect({
    actor: { userId, sessionId: newUuid(), expiresAt: Infinity },
    lastSeq: undefined,
    onClose: () => undefined,
    emit(...event) {
      emitted.push(event);
      onEmit();
    },
  });
  expect(emitted).toMatchObject([['ready', { userId, seq: 0 }]]);

  // Nothing was started, so nobody looks unless told.
  const isSent = new Promise<void>((resolve) => (onEmit = resolve));
  await inTransaction(database.connection, (tx) =>
    here.notifications.notify(tx, userId, { kind: 'signed-in', deviceName: 'iPhone' }),
  );
  await isSent;
  expect(emitted[1]).toMatchObject([
    'notification',
    { seq: 1, notification: { data: { kind: 'signed-in' } } },
  ]);
});
