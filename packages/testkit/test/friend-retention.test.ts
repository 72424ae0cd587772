import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rm } from 'node:fs/promises';
import { temporaryDataDir } from '@pufftrack/local-services';
import { MongoClient, type Db } from 'mongodb';
import { createFriendship, spawnProgram, startTestApp, type Person, type TestApp } from '../src/index.ts';

const dayMs = 86_400_000;
const start = Date.parse('2026-10-21T12:00:00Z');

describe('retention of friend requests, invites and reports (PRIV-10)', () => {
  let app: TestApp;
  let mongo: MongoClient;
  let db: Db;
  let dataDir: string;

  beforeAll(async () => {
    app = await startTestApp({ now: new Date(start).toISOString() });
    mongo = await MongoClient.connect(app.mongoUri);
    db = mongo.db();
    dataDir = await temporaryDataDir();
  });
  afterAll(async () => {
    await mongo.close();
    await app.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  const ask = async ({ client }: Person, to: Person | string) => {
    const friendCode = typeof to === 'string' ? to : (await to.client.call('getMe')).friendCode;
    await client.call('requestFriend', { body: { friendCode } });
  };
  const received = async ({ client }: Person) => (await client.call('listFriendRequests')).received;
  /** The number of rows at the end of a day, after the job has run. */
  const leftOnDay = async (day: number) => {
    app.clock.set(start + day * dayMs + dayMs / 4);
    await app.jobs.run('friend-retention');
    const [requests, invites, reports] = await Promise.all(
      ['friendrequests', 'friendinvites', 'userreports'].map((name) => db.collection(name).countDocuments()),
    );
    return { requests, invites, reports };
  };

  it('deletes each row on the day after its last use, and not earlier', async () => {
    const [ann, ben, cat, dan] = await Promise.all(
      ['ann', 'ben', 'cat', 'dan'].map((name) => app.person(name)),
    );
    await createFriendship(ann!, ben!);
    await ask(ann!, cat!);
    await ask(ann!, 'NOBODY0000');
    await ask(ann!, dan!);
    const [toDan] = await received(dan!);
    await ann!.client.call('cancelFriendRequest', { params: { id: toDan!.id } });
    const invite = await ann!.client.call('createInvite');
    await ann!.client.call('createInvite');
    await dan!.client.call('acceptInvite', { body: { token: invite.token } });
    for (const [by, of] of [
      [ann!, cat!],
      [cat!, ann!],
    ] as const)
      await by.client.call('reportPerson', { body: { userId: of.userId, reason: 'spam', note: 'a word' } });
    const env = { DATA_DIR: dataDir, MONGODB_URI: app.mongoUri, LOG_LEVEL: 'error' };
    const review = spawnProgram('packages/server/src/main.ts', env, ['reports', 'show-name', cat!.userId]);
    expect(await review.ended).toBe(0);

    const all = { requests: 4, invites: 2, reports: 2 };
    expect(await leftOnDay(6)).toEqual(all);
    expect(await leftOnDay(8)).toEqual({ ...all, invites: 0 });

    // A friend request that is declined on its last day holds back later ones for 30 more days.
    app.clock.set(start + 29.5 * dayMs);
    const [annAgain, catAgain] = [await app.person('ann'), await app.person('cat')];
    const [request] = await received(catAgain);
    await catAgain.client.call('rejectFriend', { body: { requestId: request!.id } });
    expect(await leftOnDay(59)).toEqual({ ...all, invites: 0 });
    await ask(annAgain, catAgain);
    expect(await received(catAgain)).toEqual([]);

    expect(await leftOnDay(88)).toEqual({ requests: 5, invites: 0, reports: 2 });
    expect(await leftOnDay(91)).toEqual({ requests: 1, invites: 0, reports: 2 });
    const { friends } = await (await app.person('ann')).client.call('listFriends');
    expect(friends.map(({ userId }) => userId).sort()).toEqual([ben!.userId, dan!.userId].sort());

    expect(await leftOnDay(178)).toEqual({ requests: 0, invites: 0, reports: 2 });
    // Reports that are not reviewed are kept.
    expect(await leftOnDay(182)).toEqual({ requests: 0, invites: 0, reports: 1 });
    expect(await leftOnDay(400)).toEqual({ requests: 0, invites: 0, reports: 1 });
  });
});
