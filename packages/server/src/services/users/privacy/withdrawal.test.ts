import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@pufftrack/testkit/eventually';
import { endpoints, type EndpointSpec, type Purpose } from '@pufftrack/contract';
import type { Connection } from 'mongoose';
import { openTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { servicesAlone } from '../../../../test/services-alone.ts';
import { ensureServiceIndexes } from '../../../app/migrations.ts';
import type { Services } from '../../../app/services.ts';
import { noBus, type Bus } from '../../../platform/bus/bus.ts';
import type { Actor } from '../../../platform/edge/actor.ts';
import { newUuid } from '../../../platform/ids.ts';
import { createLogger } from '../../../platform/telemetry/logger.ts';
import { connectMongo } from '../../../platform/mongo/connect.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import { legalVersions } from '../consents/legal-versions.ts';
import { processingPurposes } from '../../../domain/consents.ts';

let now = Date.parse('2026-10-21T10:00:00Z');
const clock = { now: () => now };
const log = createLogger({ level: 'silent' });
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

type Listeners = Map<string, ((message: unknown) => void)[]>;
const busBetween = (said: Listeners, heard: Listeners): Bus => ({
  ...noBus,
  publish(channel, message) {
    for (const listener of said.get(channel) ?? []) listener(message);
  },
  on: (channel, listener) => void heard.set(channel, [...(heard.get(channel) ?? []), listener]),
});

let database: TestDatabase;
let otherConnection: Connection;
let here: Services;
let there: Services;
/** The bus between the two processes; a test may cut it. */
let isBusUp = true;
let actor: Actor;
const mended: (() => void)[] = [];

beforeAll(async () => {
  database = await openTestDatabase();
  otherConnection = await connectMongo(database.uri);
  const toHere: Listeners = new Map();
  const toThere: Listeners = new Map();
  const cut = (bus: Bus): Bus => ({
    ...bus,
    publish(channel, message) {
      if (isBusUp) bus.publish(channel, message);
    },
  });
  here = servicesAlone(database.connection, clock, cut(busBetween(toThere, toHere)));
  there = servicesAlone(otherConnection, clock, cut(busBetween(toHere, toThere)));
  await ensureServiceIndexes(here);
});
beforeEach(async () => {
  isBusUp = true;
  const consents = [...processingPurposes, 'friends-sharing' as const].map((purpose) => ({
    purpose,
    version: legalVersions[purpose],
  }));
  const { userId } = await inTransaction(database.connection, (tx) =>
    here.users.accounts.openAccount({ name: 'Ann', email: null, timeZone: 'UTC', consents }, tx),
  );
  actor = { userId, sessionId: newUuid(), expiresAt: Infinity };
});
afterEach(() => {
  for (const mend of mended.splice(0)) mend();
});
afterAll(async () => {
  await otherConnection.close();
  await database.drop();
});

const call = async (services: Services, spec: EndpointSpec, input: object = {}): Promise<unknown> => {
  const routes = [services.users, services.puffs, services.analytics].flatMap((service) => service.routes);
  const found = routes.find((route) => route.spec === spec);
  if (!found) throw new Error(`no route for ${spec.path}`);
  const parsed = { params: {}, query: {}, body: {}, ...input };
  return found.handle({ input: parsed, actor: actor as never, bearer: undefined, log });
};
const withdraw = (services: Services, purpose: Purpose) =>
  call(services, endpoints.putConsents, {
    body: { consents: [{ purpose, version: legalVersions[purpose], granted: false }] },
  });
const newItem = () => ({ id: newUuid(), timestamp: new Date(now - 60_000).toISOString() });
const batch = (services: Services) =>
  call(services, endpoints.recordPuffBatch, { body: { puffs: [newItem(), newItem()] } });
const emit = (services: Services, payload: object) =>
  services.puffs.events.find(({ name }) => name === 'puff')?.handle({ actor, payload, log });

/** Holds every write to the log of one process before the database has it, until it is released. */
const holdWrites = (connection: Connection) => {
  const collection = connection.collection('puffrecords') as unknown as {
    insertMany: (...args: unknown[]) => Promise<unknown>;
  };
  const real = collection.insertMany.bind(collection);
  let release = () => {};
  let reached = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const isHeld = new Promise<void>((resolve) => (reached = resolve));
  const writes: string[] = [];
  collection.insertMany = async (...args) => {
    reached();
    await released;
    const answer = await real(...args);
    writes.push('stored');
    return answer;
  };
  mended.push(() => {
    release();
    Reflect.deleteProperty(collection, 'insertMany');
  });
  return { isHeld, release, writes };
};
const stored = () => database.connection.collection('puffrecords').countDocuments({ person: actor.userId });
const codes = (settled: readonly PromiseSettledResult<unknown>[]) =>
  settled.map((one) => (one.status === 'fulfilled' ? 'stored' : (one.reason as { code?: string }).code));
const isWithdrawn = (purpose: Purpose) => () =>
  here.users.peek(actor.userId)?.consents.has(purpose) === false;

/** A puff that is there, and one that is deleted. */
const twoPuffs = async () => {
  const [live, deleted] = [newItem(), newItem()];
  await call(here, endpoints.recordPuffBatch, { body: { puffs: [live, deleted] } });
  await call(here, endpoints.deletePuff, { params: { id: deleted.id } });
  return { live: live.id, deleted: deleted.id };
};

type Starts = (ids: { live: string; deleted: string }) => (Promise<unknown> | undefined)[];
const kinds: [what: string, start: Starts][] = [
  ['twelve batches', () => range(12).map(() => batch(here))],
  ['single puffs', () => range(12).map(() => call(here, endpoints.recordPuff, { body: {} }))],
  [
    'puffs and batches of a socket',
    () => [emit(here, {}), emit(here, { puffs: [newItem()] }), emit(here, {})],
  ],
  [
    'edits and restores',
    ({ live, deleted }) => [
      call(here, endpoints.editPuff, { params: { id: live }, body: { quantity: 7 } }),
      call(here, endpoints.restorePuff, { params: { id: deleted } }),
      call(here, endpoints.editPuff, { params: { id: live }, body: { quantity: 8 } }),
    ],
  ],
  [
    'batches whose ids are looked up first',
    () =>
      range(3).map(() => call(here, endpoints.recordPuffBatch, { body: { puffs: range(40).map(newItem) } })),
  ],
];

describe('a withdrawal of consent', () => {
  it.each(
    kinds.flatMap(([what, start]) => processingPurposes.map((purpose) => [purpose, what, start] as const)),
  )('of %s is answered after every admitted write of %s has ended', async (purpose, _what, start) => {
    const ids = await twoPuffs();
    const { isHeld, release, writes } = holdWrites(database.connection);
    const first = start(ids);
    await isHeld;
    // Queued behind the write that is held.
    const calls = Promise.allSettled([...first, ...start(ids)]);
    let storedAtAnswer = -1;
    const withdrawal = withdraw(here, purpose).then(async () => {
      writes.push('answered');
      storedAtAnswer = await stored();
    });
    await eventually('the withdrawal is in force', isWithdrawn(purpose));
    release();
    const outcomes = codes(await calls);
    await withdrawal;
    expect(writes.slice(writes.indexOf('answered') + 1)).toEqual([]);
    expect(await stored()).toBe(storedAtAnswer);
    // What was at the database already is stored; the rest is refused.
    expect(outcomes).toContain('stored');
    expect(outcomes).toContain('consent-required');
    expect(outcomes.filter((code) => code !== 'stored' && code !== 'consent-required')).toEqual([]);
  });

  it('still allows deletions and undo, also those that were queued behind a write', async () => {
    const { live } = await twoPuffs();
    const { isHeld, release } = holdWrites(database.connection);
    const held = batch(here);
    await isHeld;
    const deletion = call(here, endpoints.deletePuff, { params: { id: live } });
    const withdrawal = withdraw(here, 'terms');
    await eventually('the withdrawal is in force', isWithdrawn('terms'));
    release();
    await Promise.all([held, withdrawal]);
    expect(await deletion).toMatchObject({ status: 200 });
    expect(await call(here, endpoints.undoPuff, { body: {} })).toMatchObject({ status: 200 });
  });

  it('sent twice at once, then granted again, allows puffs again', async () => {
    await Promise.all([withdraw(here, 'terms'), withdraw(here, 'terms')]);
    await expect(batch(here)).rejects.toMatchObject({ code: 'consent-required' });
    await call(here, endpoints.putConsents, {
      body: { consents: [{ purpose: 'terms', version: legalVersions.terms, granted: true }] },
    });
    expect(await batch(here)).toMatchObject({ status: 200 });
  });

  it('stops another process at its next write after the announcement', async () => {
    await batch(there);
    const before = await stored();
    const { isHeld, release } = holdWrites(otherConnection);
    const calls = Promise.allSettled(range(12).map(() => batch(there)));
    await isHeld;
    await withdraw(here, 'health-processing');
    release();
    expect(codes(await calls)).toEqual(['stored', ...range(11).map(() => 'consent-required')]);
    expect(await stored()).toBe(before + 2);
  });

  it('reaches another process without the bus when its cached settings expire', async () => {
    await batch(there);
    isBusUp = false;
    await withdraw(here, 'health-processing');
    expect(await batch(there)).toMatchObject({ status: 200 });
    now += 5_000;
    await expect(batch(there)).rejects.toMatchObject({ code: 'consent-required' });
  });

  it('is not undone by a read of another process that began before it', async () => {
    const collection = otherConnection.collection('users') as unknown as {
      findOne: (...args: unknown[]) => Promise<unknown>;
    };
    const real = collection.findOne.bind(collection);
    let release = () => {};
    let reached = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    const isRead = new Promise<void>((resolve) => (reached = resolve));
    collection.findOne = async (...args) => {
      const answer = await real(...args);
      reached();
      await released;
      return answer;
    };
    mended.push(() => Reflect.deleteProperty(collection, 'findOne'));
    const late = batch(there);
    await isRead;
    await withdraw(here, 'terms');
    release();
    await expect(late).rejects.toMatchObject({ code: 'consent-required' });
    expect(await stored()).toBe(0);
  });

  it.each([
    ['a goal', 'goals', endpoints.putGoal, { mode: 'reduce', dailyLimit: 9 }],
    ['a check-in', 'checkins', endpoints.checkIn, { days: ['2026-10-19'], none: true }],
  ] as const)(
    'is answered after %s that was stored before it, and refuses the next',
    async (_what, name, spec, body) => {
      const rows = () => database.connection.collection(name).countDocuments({ userId: actor.userId });
      const calls = Promise.allSettled([call(here, spec, { body }), call(here, spec, { body })]);
      await withdraw(here, 'terms');
      const atAnswer = await rows();
      await calls;
      expect(await rows()).toBe(atAnswer);
      await expect(call(here, spec, { body })).rejects.toMatchObject({ code: 'consent-required' });
      expect(await call(here, endpoints.getGoal)).toMatchObject({ status: 200 });
      expect(await call(here, endpoints.getStats)).toMatchObject({ status: 200 });
    },
  );
});

describe('a deletion of the account', () => {
  it('is answered after every admitted puff of the account has ended', async () => {
    await batch(here);
    const { isHeld, release, writes } = holdWrites(database.connection);
    const calls = Promise.allSettled(range(12).map(() => batch(here)));
    await isHeld;
    const deletion = here.users.accounts.eraseAccount(actor.userId, log).then(() => writes.push('answered'));
    await eventually('the account is gone', async () => {
      return (await here.users.findDeletedUsers([actor.userId])).length === 1;
    });
    release();
    await Promise.all([calls, deletion]);
    expect(writes.slice(writes.indexOf('answered') + 1)).toEqual([]);
    expect(codes(await calls).slice(1)).toEqual(range(11).map(() => 'account-gone'));
  });
});
