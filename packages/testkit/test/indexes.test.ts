import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { endpoints, type EndpointName } from '@pufftrack/contract';
import { MongoClient, type Document } from 'mongodb';
import { startApnsSimulator, type ApnsSimulator } from '@pufftrack/apple-simulator';
import {
  createFriendship,
  eventually,
  startTestApp,
  testClientId,
  type Person,
  type TestApp,
} from '../src/index.ts';
import { multiply, type Doc } from './many-people.ts';

/** Collections that may be read whole, each with the reason. */
const readWhole: Readonly<Record<string, string>> = {
  signingkeys: 'two or three keys, read at the start and when an unknown one turns up',
  migrations: 'one row for each step of the data, read at the start',
};
/** Collections of which a few rows may be put in order after they were found, each with the reason. */
const sortedInMemory: Readonly<Record<string, string>> = {
  sessions: 'the live sessions of one person, at most 10',
};
/** How many documents a question may look at beyond those that it answers or changes. */
const spare = 8;

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

/** A line of MongoDB's profiler, as far as it matters here. */
interface Profiled extends Document {
  ns: string;
  op: string;
  command: Document;
  appName?: string;
  /** Of a `getMore`. */
  originatingCommand?: Document;
  planSummary?: string;
  docsExamined?: number;
  hasSortStage?: boolean;
  nreturned?: number;
  nMatched?: number;
  ndeleted?: number;
}

const collectionOf = ({ ns }: Profiled) => ns.slice(ns.indexOf('.') + 1);

/** What was asked, without the values. */
const shapeOf = ({ op, command }: Profiled): string => {
  const asked: unknown = command['filter'] ?? command['q'] ?? command['query'];
  const filter = JSON.stringify(asked, (_key, value: unknown) => (typeof value === 'object' ? value : '?'));
  return `${op} ${filter} sort ${JSON.stringify(command['sort'])}`;
};

/** The name of the test's own connection. */
const testItself = 'indexes.test';

/** Whether the profiler shows the time limit of this kind of command; of a single update or delete it does not. */
const showsTimeLimit = ({ command }: Profiled) =>
  ['find', 'aggregate', 'count', 'distinct', 'findAndModify', 'findandmodify', 'getMore'].some(
    (name) => name in command,
  );
const hasTimeLimit = ({ command, originatingCommand }: Profiled) =>
  'maxTimeMS' in command || 'maxTimeMS' in (originatingCommand ?? {});

/** What is wrong with how a question was answered; undefined: nothing. */
const faultOf = (line: Profiled): string | undefined => {
  const collection = collectionOf(line);
  if (line.planSummary?.includes('COLLSCAN') && !(collection in readWhole))
    return 'reads the whole collection';
  if (line.hasSortStage && !(collection in sortedInMemory)) return 'sorts in memory';
  // Sums answer less than they look at; that they look by an index is all that is asked.
  if ('aggregate' in line.command || collection in readWhole) return undefined;
  const answered = (line.nreturned ?? 0) + (line.nMatched ?? 0) + (line.ndeleted ?? 0);
  if ((line.docsExamined ?? 0) > answered + spare)
    return `looks at ${line.docsExamined} documents for ${answered}`;
  return undefined;
};

describe('every query to the database has an index (API-4)', () => {
  let app: TestApp;
  let apns: ApnsSimulator;
  let mongo: MongoClient;
  let visited: Set<EndpointName>;

  /** The profiler sees all from before the first start on: migrations, endpoints, sockets, jobs. */
  beforeAll(async () => {
    const uri = new URL(process.env['PUFFTRACK_TEST_MONGODB_URI'] ?? '');
    uri.pathname = `/test_${randomBytes(6).toString('hex')}`;
    mongo = await MongoClient.connect(uri.href, { appName: testItself });
    await mongo.db().createCollection('system.profile', { capped: true, size: 128 * 1024 * 1024 });
    await mongo.db().command({ profile: 2 });
    apns = await startApnsSimulator({ now: () => app.clock.now() });
    app = await startTestApp({ mongoUri: uri.href, now: '2026-10-21T10:00:00Z', apns });
    visited = new Set();
  });
  afterAll(async () => {
    await app.close();
    await apns.close();
    await mongo.db().command({ profile: 0 });
    await mongo.db().dropDatabase();
    await mongo.close();
  });

  /** Calls an endpoint as somebody; what it answers is the matter of other tests. */
  const as =
    ({ client }: Person): Person['client']['call'] =>
    (name, request) => {
      visited.add(name);
      return client.call(name, request);
    };

  /** A day in the life of a few people among many, through every endpoint. New ones are added where they belong. */
  const tour = async () => {
    const alice = await app.person('alice');
    const puffs = range(30).map((index) => ({
      id: randomUUID(),
      timestamp: new Date(app.clock.now() - index * 5 * 3_600_000).toISOString(),
    }));
    await as(alice)('recordPuffBatch', { body: { puffs } });
    await app.drain();
    await multiply(mongo.db(), alice.userId, 120);
    const friends: Person[] = [];
    for (const index of range(16)) friends.push(await app.person(`friend-${index}`));
    // Signing in has called these two for everybody.
    for (const name of ['createNonce', 'signInWithApple', 'getLegalVersions'] as const) visited.add(name);

    const call = as(alice);
    await call('recordPuffBatch', {
      body: { puffs: [...puffs, { id: randomUUID(), timestamp: '2036-01-01T00:00:00Z' }] },
    });
    await call('recordPuff', { body: {} });
    await call('recordPuff', { body: puffs[0] ?? {} });
    await call('recordPuff', { body: { id: puffs[0]?.id ?? '', timestamp: '1999-01-01T00:00:00Z' } });
    const first = await call('listPuffs', { query: { limit: '5' } });
    await call('listPuffs', { query: { limit: '5', cursor: first.nextCursor ?? '' } });
    await call('listPuffs', { query: { from: '2026-10-19T00:00:00Z', to: '2026-10-20T00:00:00Z' } });
    await call('getStats');
    await call('getStatsDays', { query: { from: '2026-09-01', to: '2026-10-21' } });
    await call('getStatsHours', { query: {} });
    await call('putGoal', { body: { mode: 'reduce', dailyLimit: 10 } });
    await call('getGoal');
    await call('checkIn', { body: { days: ['2026-10-12'], none: true } });

    const [one, two, three] = puffs.map(({ id }) => ({ id }));
    if (!one || !two || !three) throw new Error('no puffs');
    await call('editPuff', { params: one, body: { quantity: 3, timestamp: '2026-10-15T08:00:00Z' } });
    await call('deletePuff', { params: two });
    await call('restorePuff', { params: two });
    await call('recordPuff', { body: {} });
    await call('undoPuff', { body: {} });
    await call('undoPuff', { body: three });
    await call('listPuffChanges', { query: { since: '3', limit: '10' } });

    await call('getMe');
    await call('patchMe', { body: { dayStartHour: 4 } });
    await call('putMe', { body: { timeZone: 'Asia/Tokyo' } });
    const { consents } = await call('getConsents');
    await call('putConsents', {
      body: { consents: consents.map(({ purpose, version }) => ({ purpose, version, granted: true })) },
    });

    const [bob, carla, dora, ...others] = friends;
    if (!bob || !carla || !dora) throw new Error('nobody there');
    const { friendCode } = await as(bob)('getMe');
    await call('requestFriend', { body: { friendCode } });
    await call('requestFriend', { body: { friendCode: 'unknown-code' } });
    const { received } = await as(bob)('listFriendRequests');
    await as(bob)('acceptFriend', { body: { requestId: received[0]?.id ?? '' } });
    await as(carla)('requestFriend', { body: { friendCode: (await call('getMe')).friendCode } });
    const asked = await call('listFriendRequests');
    await call('rejectFriend', { body: { requestId: asked.received[0]?.id ?? '' } });
    const sentByAlice = await call('listFriendRequests');
    await call('cancelFriendRequest', { params: { id: sentByAlice.sent[0]?.id ?? '' } });
    for (const other of others) await createFriendship(other, dora);
    const { token } = await as(dora)('createInvite');
    await call('acceptInvite', { body: { token } });
    await call('rotateFriendCode');
    await call('putGhost', { body: { until: '2026-10-21T10:01:00Z' } });
    await call('deleteGhost');
    await as(carla)('putGhost', { body: { until: '2026-10-21T10:01:00Z' } });
    await call('patchFriend', {
      params: { userId: bob.userId },
      body: { shareLevel: 'summary', muted: true },
    });
    await call('listFriends');
    await as(dora)('getLeaderboard');
    await as(dora)('deleteAllPuffs');
    await call('removeFriend', { params: { userId: bob.userId } });

    for (const reporter of [bob, ...others.slice(0, 3)])
      await as(reporter)('reportPerson', { body: { userId: carla.userId, reason: 'name' } });
    await call('blockPerson', { body: { userId: bob.userId } });
    await call('listBlocks');
    await call('unblockPerson', { params: { userId: bob.userId } });
    const device = { environment: 'sandbox' as const, bundleId: testClientId };
    for (const token of ['a0', 'a1', 'a1']) await as(dora)('registerDevice', { body: { ...device, token } });
    await as(dora)('removeDevice', { params: { token: 'a0' } });
    await as(dora)('putNotificationPreferences', { body: { categories: { plan: 'off' } } });
    await as(dora)('getNotificationPreferences');
    const inbox = await as(dora)('listNotifications', { query: { limit: '5' } });
    await as(dora)('listNotifications', { query: { limit: '5', cursor: inbox.nextCursor ?? '' } });
    await as(dora)('readNotifications', { body: { ids: inbox.notifications.map(({ id }) => id) } });
    await as(dora)('readNotifications', { body: { all: true } });
    dora.client.connect({ lastSeq: 1 });
    const [fan, cheered] = others.slice(-2);
    if (!fan || !cheered) throw new Error('nobody there');
    await createFriendship(fan, cheered);
    await as(cheered)('checkIn', { body: { days: ['2026-10-20'], none: true } });
    await as(cheered)('listMilestones');
    const [milestone] = (await as(fan)('listMilestones')).friends;
    const shown = { id: milestone?.id ?? '' };
    for (const kind of ['clap', 'heart'] as const)
      await as(fan)('cheerMilestone', { params: shown, body: { kind } });
    await as(fan)('removeCheer', { params: shown, query: { kind: 'heart' } });
    await as(cheered)('recordPuff', { body: { timestamp: '2026-10-20T12:00:00Z' } });
    await app.drain();

    const atDora = await dora.connect();
    await atDora.puff({ quantity: 2 });
    await atDora.puffs([{ id: randomUUID(), timestamp: '2026-10-21T09:00:00Z' }]);
    await atDora.undo();
    // The watch of audiences looks every 2 s: one that it finds over by the clock.
    app.clock.set('2026-10-21T10:01:01Z');
    const users = mongo.db().collection<Doc>('users');
    const rests = { _id: carla.userId, ghost: { $exists: true } };
    await eventually('the rest ends', async () => (await users.countDocuments(rests)) === 0);
    atDora.close();

    await carla.client.refresh();
    visited.add('refreshSession');
    await carla.client.signOut();
    visited.add('logout');
    const { sessions } = await as(dora)('listSessions');
    await as(dora)('endSession', { params: { id: sessions[0]?.id ?? '' } });
    const erased = others[1];
    if (erased) await as(erased)('deleteMe');
    const ended = others[0];
    if (ended) await as(ended)('logoutAll');
    await app
      .client()
      .call('receiveAppleNotification', { body: { payload: 'x' } })
      .catch(() => visited.add('receiveAppleNotification'));
    for (const name of ['getConfig', 'getJwks', 'healthLive', 'healthReady', 'healthStartup'] as const) {
      visited.add(name);
      await app.client().call(name);
    }
  };

  /** Every job, as due over several days, twice so that the second finds what the first left, and by hand. */
  const work = async () => {
    for (const instant of ['2026-10-21T10:10:00Z', '2026-10-24T03:10:00Z', '2026-11-25T03:40:00Z']) {
      app.clock.set(instant);
      await app.jobs.runDue();
    }
    for (const { name } of await app.jobs.list()) await app.jobs.run(name, '2026-10-23');
    expect((await app.jobs.list()).map(({ lastRun }) => lastRun?.outcome)).not.toContain('failed');
  };

  it('is shown by the profiler after calls of every endpoint, the sockets and the jobs', async () => {
    await tour();
    await work();
    await app.drain();
    const unvisited = Object.keys(endpoints).filter((name) => !visited.has(name as EndpointName));
    expect(unvisited.map((name) => `add a call of ${name} to "tour" in this file`)).toEqual([]);

    const profile = mongo.db().collection<Profiled>('system.profile');
    const lines = await profile.find({ ns: { $not: /\.system\.profile$/ } }).toArray();
    // A capped collection forgets its oldest lines: the first of them has to be there still.
    expect(lines.some(({ ns }) => ns.endsWith('.migrations'))).toBe(true);
    const faults = lines.flatMap((line) => {
      const fault = faultOf(line);
      return fault ? [`${collectionOf(line)} ${shapeOf(line)} ${fault}`] : [];
    });
    expect([...new Set(faults)]).toEqual([]);

    const limited = lines.filter((line) => showsTimeLimit(line) && line.appName !== testItself);
    expect(limited.length).toBeGreaterThan(200);
    const endless = limited.filter((line) => !hasTimeLimit(line));
    expect([...new Set(endless.map((line) => `${collectionOf(line)} ${shapeOf(line)}`))]).toEqual([]);
  });
});
