import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Connection } from 'mongoose';
import { ensureServiceIndexes } from '../../../app/migrations.ts';
import type { Services } from '../../../app/services.ts';
import { newId } from '../../../platform/ids.ts';
import { createLogger } from '../../../platform/telemetry/logger.ts';
import { connectMongo } from '../../../platform/mongo/connect.ts';
import { testDatabaseUri } from '../../../../test/database.ts';
import { servicesAlone } from '../../../../test/services-alone.ts';
import { writesMayLiveMs } from './erasure-rules.ts';

const log = createLogger({ level: 'silent' });
let now = Date.parse('2026-10-21T10:00:00Z');
const clock = { now: () => now };
const at = new Date(now);

/** One row in every collection that an erasure empties. */
const rowsOf = (userId: string): Record<string, { _id: string; [field: string]: unknown }> => ({
  users: { _id: userId, friendCode: newId(), settingsVersion: 1, requestCount: 0 },
  applelinks: { _id: newId(), provider: 'apple', sub: `sub-${userId}`, userId },
  sessions: { _id: newId(), userId, number: 1, endedAt: null, device: {}, expiresAt: new Date(now + 1e9) },
  consentrecords: { _id: newId(), userId, purpose: 'terms', at },
  friendconnections: {
    _id: `${userId}~zz`,
    people: [userId, 'zz'],
    sides: [{ person: userId }, { person: 'zz' }],
    since: at,
  },
  friendrequests: { _id: newId(), from: userId, to: null, state: 'open', createdAt: at },
  puffrecords: { _id: `${userId}:1`, person: userId, rev: 1, kind: 'empty' },
  puffpeople: { _id: userId, rev: 1, months: {} },
  puffmonths: { _id: `${userId}:2026-10`, person: userId, month: '2026-10', rev: 1 },
  goals: { _id: newId(), userId, number: 1 },
  checkins: { _id: newId(), userId, day: 20_000 },
  userstats: { _id: userId, revision: 1 },
  settledruns: { _id: userId, through: 20_000 },
  friendblocks: { _id: `${userId}~zz`, blocker: userId, blocked: 'zz', since: at },
  friendinvites: { _id: newId(), inviter: userId, createdAt: at, expiresAt: at, usedBy: null },
  userreports: { _id: `${userId}~zz`, reporter: userId, reported: 'zz', at },
  boardbaselines: { _id: userId, baseline: 9, frozenAt: at },
  notifications: { _id: newId(), userId, seq: 1, title: 'New sign-in', body: '', data: {} },
  inboxheads: { _id: userId, seq: 1 },
  notificationpreferences: { _id: userId },
  devices: { _id: newId(), userId, token: newId(), registeredAt: at },
  pushdays: { _id: userId, day: '2026-10-21', notifications: [] },
  milestones: { _id: newId(), userId, kind: 'abstinence', days: 1, awardedAt: at },
  milestonestates: { _id: userId, rev: 1, turn: 1 },
  cheers: { _id: newId(), milestoneId: newId(), owner: 'zz', sender: userId, kind: 'clap', at },
  cheersenders: { _id: userId, sentAt: [], turn: 1 },
});
const collectionNames = Object.keys(rowsOf(newId()));
const inTheDeletionItself = ['users', 'applelinks', 'sessions'];
const sweptAfterwards = collectionNames.filter((name) => !inTheDeletionItself.includes(name));

interface Process {
  readonly connection: Connection;
  readonly services: Services;
}

let here: Process;
let there: Process;
const mended: (() => void)[] = [];

const open = async (uri: string): Promise<Process> => {
  const connection = await connectMongo(uri);
  const services = servicesAlone(connection, clock);
  await ensureServiceIndexes(services);
  return { connection, services };
};

beforeAll(async () => {
  const uri = testDatabaseUri();
  here = await open(uri);
  there = await open(uri);
});
afterEach(() => {
  for (const mend of mended.splice(0)) mend();
});
afterAll(async () => {
  for (const { services } of [here, there]) {
    await services.users.stop();
    await services.puffs.stop();
  }
  await here.connection.dropDatabase();
  await here.connection.close();
  await there.connection.close();
});

const seed = async (): Promise<string> => {
  const userId = newId();
  for (const [name, row] of Object.entries(rowsOf(userId)))
    await here.connection.collection<{ _id: string }>(name).insertOne(row);
  return userId;
};
/** What names this person, by collection. */
const leftOf = async (userId: string): Promise<string[]> => {
  const left: string[] = [];
  for (const { name } of await here.connection.listCollections()) {
    const docs = await here.connection.collection(name).find().toArray();
    if (JSON.stringify(docs).includes(userId)) left.push(name);
  }
  return left.sort();
};

/** The process ends at its first write to this collection, before or after that has its effect. */
const dieAt = (name: string, moment: 'before' | 'after') => {
  const collection = here.connection.collection(name) as unknown as Record<
    string,
    (...args: unknown[]) => Promise<unknown>
  >;
  for (const method of ['deleteOne', 'deleteMany', 'updateMany']) {
    const real = collection[method]?.bind(collection);
    collection[method] = async (...args) => {
      if (moment === 'after') await real?.(...args);
      throw new Error('killed');
    };
    mended.push(() => Reflect.deleteProperty(collection, method));
  }
};
const erase = (userId: string, at_ = here) => at_.services.users.accounts.eraseAccount(userId, log);

describe('an erasure', () => {
  it('is tested for every collection that it empties (docs/data-map.md)', () => {
    const map = readFileSync(resolve(import.meta.dirname, '../../../../../../docs/data-map.md'), 'utf8');
    const erased = [...map.matchAll(/^\| `(\w+)` +\|.*\| erased /gm)].map(([, name]) => name);
    expect([...collectionNames].sort()).toEqual(erased.sort());
  });

  it.each(
    sweptAfterwards.flatMap((name) => (['before', 'after'] as const).map((when) => [when, name] as const)),
  )('interrupted %s the write to %s is completed by another process', async (moment, name) => {
    const [userId, neighbour] = [await seed(), await seed()];
    dieAt(name, moment);
    await erase(userId);
    await here.services.users.drain();
    expect(await leftOf(userId)).toContain('erasures');

    now += 10_000;
    await there.services.users.drain();
    expect(await leftOf(userId)).toEqual(['erasures']);
    now += writesMayLiveMs;
    await there.services.users.drain();
    now += writesMayLiveMs;
    await there.services.users.drain();
    expect(await leftOf(userId)).toEqual([]);
    expect(await leftOf(neighbour)).toEqual([...collectionNames].sort());
  });

  it.each(inTheDeletionItself)(
    'leaves everything in place when the transaction fails at %s',
    async (name) => {
      const userId = await seed();
      dieAt(name, 'after');
      await expect(erase(userId)).rejects.toThrow('killed');
      await there.services.users.drain();
      expect(await leftOf(userId)).toEqual([...collectionNames].sort());
    },
  );

  it('repeats the cleanup pass while it finds rows, and leaves no row of the user', async () => {
    const userId = await seed();
    const late = () =>
      here.connection
        .collection<{ _id: string }>('puffrecords')
        .insertOne({ _id: `${userId}:late`, person: userId, rev: 9, kind: 'empty' } as { _id: string });
    await erase(userId);
    await here.services.users.drain();
    for (const waitMs of [15_000, 75_000, 15_000]) {
      expect(await leftOf(userId)).toEqual(['erasures']);
      await late();
      now += waitMs;
      await there.services.users.drain();
    }
    expect(await leftOf(userId)).toEqual(['erasures']);
    now += 15_000;
    await there.services.users.drain();
    expect(await leftOf(userId)).toEqual([]);
  });

  it('is a no-op for an unknown or erased user', async () => {
    const userId = await seed();
    await erase(newId());
    await erase(userId);
    await erase(userId, there);
    const ledger = here.connection.collection('erasureledger');
    const rows = await ledger.countDocuments();
    await erase(userId);
    expect(await ledger.countDocuments()).toBe(rows);
  });
});
