import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { cheerKinds, type Purpose } from '@pufftrack/contract';
import { befriend, startTestApp, type Person, type TestApp } from '../src/index.ts';

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

/** 12:00 in Berlin, on Wednesday. */
const noon = '2026-10-21T10:00:00Z';

describe('milestones', () => {
  let app: TestApp;
  let mongo: MongoClient;

  beforeEach(async () => {
    app = await startTestApp({ now: noon });
    mongo = await MongoClient.connect(app.mongoUri);
  });
  afterEach(async () => {
    await app.close();
    await mongo.db().dropDatabase();
    await mongo.close();
  });

  const puffAt = ({ client }: Person, timestamp: string, id: string = randomUUID()) =>
    client.call('recordPuff', { body: { id, timestamp } });
  const sayNone = ({ client }: Person, ...days: string[]) =>
    client.call('checkIn', { body: { days, none: true } });
  const listOf = ({ client }: Person) => client.call('listMilestones');
  /** `3 days of abstinence: 2026-10-18..2026-10-20`, and so on. */
  const mineOf = async (person: Person) =>
    (await listOf(person)).mine
      .map(({ kind, days, evidence: { from, to } }) => `${days} ${kind} ${from}..${to}`)
      .sort();
  const inboxOf = async ({ client }: Person) => {
    const { notifications } = await client.call('listNotifications', { query: {} });
    return notifications.filter(({ category }) => category === 'milestone' || category === 'cheer');
  };
  const runAt = async (instant: string, ...apps: TestApp[]) => {
    app.clock.set(instant);
    const runs = await Promise.all(
      (apps.length > 0 ? apps : [app]).map((each) => each.jobs.runDue('milestones')),
    );
    expect(runs.flat().filter(({ outcome }) => outcome !== 'done')).toEqual([]);
    return runs.flat();
  };
  /** Somebody whose last puff was on Saturday, and who says that they have had none since: three days. */
  const abstainer = async (name: string, timeZone = 'Europe/Berlin') => {
    const person = await app.person(name, { timeZone });
    await puffAt(person, '2026-10-17T12:00:00Z');
    await sayNone(person, '2026-10-18', '2026-10-19', '2026-10-20');
    return person;
  };
  const newestOf = async (person: Person) => {
    const [first] = (await listOf(person)).mine;
    if (!first) throw new Error('nothing reached');
    return first;
  };

  it('are given an hour after their day, by the job, once on two workers, and told once', async () => {
    const other = await startTestApp({ mongoUri: app.mongoUri, world: app });
    try {
      const alice = await app.person('alice');
      await puffAt(alice, '2026-10-21T09:00:00Z');
      await runAt('2026-10-21T10:10:00Z', app, other);
      await runAt('2026-10-22T22:55:00Z', app, other);
      expect(await inboxOf(alice)).toEqual([]);
      await runAt('2026-10-22T23:10:00Z', app, other);
      for (const each of [app, other]) await each.jobs.run('milestones', '2026-10-22');
      expect(await inboxOf(alice)).toMatchObject([
        {
          category: 'milestone',
          title: 'Milestone',
          body: 'A day without a puff.',
          data: { kind: 'milestone-reached', milestone: 'abstinence', days: '1' },
          createdAt: '2026-10-22T23:10:00.000Z',
        },
      ]);
      await alice.client.refresh();
      expect(await listOf(alice)).toEqual({
        mine: [
          {
            id: expect.any(String),
            kind: 'abstinence',
            days: 1,
            version: 1,
            awardedAt: '2026-10-22T23:10:00.000Z',
            evidence: { from: '2026-10-22', to: '2026-10-22' },
            cheers: [],
          },
        ],
        friends: [],
      });
    } finally {
      await other.close();
    }
  });

  it('end quietly with a puff that comes late, and are earned again', async () => {
    const alice = await abstainer('alice');
    expect(await mineOf(alice)).toEqual([
      '1 abstinence 2026-10-18..2026-10-18',
      '3 abstinence 2026-10-18..2026-10-20',
    ]);
    // Together they are one word.
    expect(await inboxOf(alice)).toMatchObject([{ data: { days: '3' }, readAt: null }]);
    const { puff } = await puffAt(alice, '2026-10-19T12:00:00Z');
    await app.settle();
    expect(await inboxOf(alice)).toMatchObject([{ data: { days: '3' }, readAt: noon.replace('Z', '.000Z') }]);
    expect(await mineOf(alice)).toEqual(['1 abstinence 2026-10-20..2026-10-20']);
    await alice.client.call('deletePuff', { params: { id: puff?.id ?? '' } });
    expect(await mineOf(alice)).toContain('3 abstinence 2026-10-18..2026-10-20');
    const rows = mongo.db().collection('milestones');
    expect(await rows.countDocuments({ revokedAt: { $exists: true } })).toBe(1);
  });
});
