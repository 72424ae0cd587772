// @not-split: counts the queries of one process
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { targetNames } from '@pufftrack/server';
import { MongoClient } from 'mongodb';
import { startTestApp, type Person, type TestApp } from '../src/index.ts';
import { befriendMany, multiply, type Doc } from './many-people.ts';
import { collectionOf, documentsRead, profiled, type Profiled } from './profiler.ts';

const dayMs = 86_400_000;
const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const sizes = [5, 50, 200];
/** One process, which makes no query that depends on time. */
const exact = { targets: targetNames, audiencePolling: false };
/** All that is derived, and may be dropped at any time. */
const derived = ['userstats', 'milestonestates', 'settledruns', 'puffpeople', 'puffmonths'];

describe('the queries for a user with many friends', () => {
  const apps: TestApp[] = [];
  let mongo: MongoClient;

  beforeAll(async () => {
    const app = await startTestApp({ ...exact, now: '2026-10-21T10:00:00Z' });
    apps.push(app);
    mongo = await MongoClient.connect(app.mongoUri);
    const alice = await app.person('alice');
    const puffs = range(20).map((index) => ({
      id: randomUUID(),
      timestamp: new Date(app.clock.now() - index * dayMs).toISOString(),
      quantity: 1 + (index % 5),
    }));
    await alice.client.call('recordPuffBatch', { body: { puffs } });
    // As if each had come at its time, to somebody who has been here for long.
    const users = mongo.db().collection<Doc>('users');
    await users.updateOne({ _id: alice.userId }, { $set: { createdAt: new Date('2026-06-01T10:00:00Z') } });
    await mongo
      .db()
      .collection('puffrecords')
      .updateMany({}, [{ $set: { receivedAt: '$timestamp' } }]);
    const friends = await multiply(mongo.db(), alice.userId, Math.max(...sizes));
    await giveMilestones(friends);
    for (const size of sizes) {
      const person = await app.person(nameOf(size));
      await befriendMany(mongo.db(), person.userId, friends.slice(0, size));
    }
  });
  afterAll(async () => {
    await mongo.close();
    for (const app of apps.reverse()) await app.close();
  });

  /** A confirmed day without a puff, before their first, for each. */
  const giveMilestones = async (people: readonly string[]) => {
    const day = Date.UTC(2026, 8, 25) / dayMs;
    const at = new Date('2026-10-01T10:00:00Z');
    const db = mongo.db();
    await db.collection('checkins').insertMany(people.map((userId) => ({ userId, day, at })));
    await db.collection<Doc>('milestones').insertMany(
      people.map((userId) => ({
        _id: `first-of-${userId}`,
        userId,
        ...{ kind: 'abstinence', days: 1, version: 1, from: day, to: day, isConfirmed: true },
        awardedAt: at,
      })),
    );
  };
  const nameOf = (size: number) => `with-${size}`;
  /** In one process, that holds nobody in memory. */
  const fresh = async (): Promise<TestApp> => {
    const [first] = apps;
    if (!first) throw new Error('nothing runs');
    await apps.at(-1)?.drain();
    const { mongoUri } = first;
    const app = await startTestApp({ ...exact, mongoUri, world: first });
    apps.push(app);
    return app;
  };
  /** One person's view of all; what is asked to know the caller has been asked before. */
  const look = async (app: TestApp, person: Person, view: (person: Person) => Promise<unknown>) => {
    await person.client.call('getMe');
    await person.client.call('getStats');
    await app.drain();
    return profiled(app.mongoUri, () => view(person));
  };
  const questions = (lines: readonly Profiled[]) =>
    lines
      .filter(({ op }) => op !== 'update')
      .map((line) => `${line.op} ${collectionOf(line)}`)
      .sort();

  const listFriends = async ({ client, name }: Person) => {
    const { friends } = await client.call('listFriends');
    expect(nameOf(friends.length)).toBe(name);
    expect(friends.every(({ summary }) => summary?.average7 !== null && summary?.todayCount === 1)).toBe(
      true,
    );
  };
  const getLeaderboard = async ({ client, name }: Person) => {
    const { entries } = await client.call('getLeaderboard', { query: { board: 'puffFreeDays' } });
    expect(nameOf(entries.length - 1)).toBe(name);
    // The caller has not recorded anything.
    expect(entries.filter(({ rank }) => rank === 1)).toHaveLength(entries.length - 1);
  };
  const listMilestones = async ({ client, name }: Person) => {
    const { friends } = await client.call('listMilestones');
    expect(nameOf(friends.length)).toBe(name);
  };
  const connect = async (person: Person) => {
    (await person.connect()).close();
  };

  it.each<[string, (person: Person) => Promise<void>]>([
    ['GET /friends', listFriends],
    ['GET /milestones', listMilestones],
  ])('are the same for 200 friends as for 5, without stored rows and caches: %s', async (_name, view) => {
    const asked: string[][] = [];
    for (const size of sizes) {
      const app = await fresh();
      for (const name of derived) await mongo.db().collection(name).deleteMany({});
      asked.push(questions(await look(app, await app.person(nameOf(size)), view)));
    }
    expect(asked[1]).toEqual(asked[0]);
    expect(asked[2]).toEqual(asked[0]);
  });

  it.each<[string, (person: Person) => Promise<void>, number]>([
    ['GET /friends', listFriends, 4],
    ['GET /friends/leaderboard', getLeaderboard, 5],
    ['GET /milestones', listMilestones, 7],
    ['ready', connect, 12],
  ])('are the same for 200 friends as for 5, where nothing has changed: %s', async (_name, view, most) => {
    const app = await fresh();
    const all = [];
    for (const size of sizes) {
      const person = await app.person(nameOf(size));
      await view(person);
      all.push(await look(app, person, view));
    }
    const [few, ...more] = all.map(questions);
    // A setting that is cached for seconds may be read once more where the machine is slow; never once for each friend.
    for (const asked of more) {
      expect(new Set(asked)).toEqual(new Set(few));
      expect(asked.length).toBeLessThanOrEqual(most);
    }
    // The friendship, the person and their row, each as often as it is asked for; and not one puff.
    for (const [index, lines] of all.entries()) {
      expect(lines.filter(({ op }) => op === 'update')).toEqual([]);
      const read = documentsRead(lines);
      expect(read).not.toHaveProperty('puffrecords');
      for (const count of Object.values(read))
        expect(count).toBeLessThanOrEqual(3 * ((sizes[index] ?? 0) + 1));
    }
  });

  it('is as much for 200 as for 5 on the morning after, in a process that knows nobody', async () => {
    apps[0]?.clock.advance(dayMs);
    const asked: string[][] = [];
    const documents: number[] = [];
    for (const size of sizes) {
      // The processes of the tests before may still read for a socket that has left, and store the rows of today.
      for (const other of apps.splice(1)) await other.close();
      const app = await fresh();
      await mongo
        .db()
        .collection('userstats')
        .updateMany({}, { $set: { 'stats.today': '2026-10-21' } });
      const lines = await look(app, await app.person(nameOf(size)), getLeaderboard);
      asked.push(questions(lines));
      documents.push(Object.values(documentsRead(lines)).reduce((sum, count) => sum + count, 0) / size);
    }
    expect(asked[1]).toEqual(asked[0]);
    expect(asked[2]).toEqual(asked[0]);
    for (const perFriend of documents) expect(perFriend).toBeLessThan(12);
  });
});
