import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Document } from 'mongodb';
import { createFriendship, testClientId, type Person } from '../src/index.ts';
import { startErasureWorld, type ErasureWorld } from './erasure-world.ts';

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

/** docs/data-map.md: the owner of each collection, and whether its rows are erased. */
const dataMap = new Map(
  [
    ...readFileSync(resolve(import.meta.dirname, '../../../docs/data-map.md'), 'utf8').matchAll(
      /^\| `(\w+)` +\| (\w+) +\|.*\| (erased|kept)/gm,
    ),
  ].map(([, collection, owner, fate]) => [collection ?? '', { owner, fate }]),
);

let world: ErasureWorld;
let here: ErasureWorld['here'];
let there: ErasureWorld['there'];
let db: ErasureWorld['db'];
let erase: ErasureWorld['erase'];
let collections: ErasureWorld['collections'];
let dump: ErasureWorld['dump'];

const open = async () => {
  world = await startErasureWorld();
  ({ here, there, db, erase, collections, dump } = world);
};
const close = () => world.close();

describe('erasure of everything stored about a user (PRIV-3)', () => {
  beforeEach(() => open());
  afterEach(close);

  /** Writes something to every collection that holds data of users. */
  const writeEverywhere = async () => {
    const [alice, bob, dora] = [
      await here.person('alice'),
      await here.person('bob'),
      await here.person('dora'),
    ];
    for (const { client } of [alice, bob]) {
      const puffs = range(40).map((index) => ({
        id: randomUUID(),
        timestamp: new Date(here.clock.now() - index * 80 * 3_600_000).toISOString(),
      }));
      await client.call('recordPuffBatch', { body: { puffs } });
      await client.call('editPuff', { params: { id: puffs[0]?.id ?? '' }, body: { quantity: 4 } });
      await client.call('deletePuff', { params: { id: puffs[1]?.id ?? '' } });
      await client.call('putGoal', { body: { mode: 'reduce', dailyLimit: 9 } });
      await client.call('checkIn', { body: { days: ['2026-10-12', '2026-10-13'], none: true } });
      await client.call('getStats');
    }
    await createFriendship(alice, bob);
    const codeOfFriend = async ({ client }: Person) => (await client.call('getMe')).friendCode;
    await dora.client.call('requestFriend', { body: { friendCode: await codeOfFriend(alice) } });
    const eve = await here.person('eve');
    await alice.client.call('requestFriend', { body: { friendCode: await codeOfFriend(eve) } });
    await alice.client.call('listFriends');
    await bob.client.call('listFriends');
    const mallory = await here.person('mallory');
    await alice.client.call('blockPerson', { body: { userId: mallory.userId } });
    await alice.client.call('reportPerson', { body: { userId: mallory.userId, reason: 'spam' } });
    await alice.client.call('createInvite');
    for (const [{ client }, token] of [
      [alice, 'aa01'],
      [bob, 'bb01'],
    ] as const) {
      const device = { environment: 'sandbox' as const, bundleId: testClientId, token };
      await client.call('registerDevice', { body: device });
      await client.call('putNotificationPreferences', { body: { categories: { plan: 'off' } } });
    }
    // A day without a puff gives each a milestone, and the friend cheers it.
    for (const [{ client }, friend] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      await client.call('checkIn', { body: { days: ['2026-10-15'], none: true } });
      await client.call('listMilestones');
      const [milestone] = (await friend.client.call('listMilestones')).friends;
      await friend.client.call('cheerMilestone', {
        params: { id: milestone?.id ?? '' },
        body: { kind: 'clap' },
      });
    }
    // These rows take weeks or a push service to arise.
    for (const { userId } of [alice, bob]) {
      await db
        .collection<Document & { _id: string }>('boardbaselines')
        .insertOne({ _id: userId, baseline: 9, frozenAt: new Date() });
      await db
        .collection<Document & { _id: string }>('pushdays')
        .insertOne({ _id: userId, day: '2026-10-20', notifications: ['x'] });
    }
    for (const job of ['daily-stats', 'aggregate']) await here.jobs.run(job, '2026-10-21');
    await here.drain();
    // The other process stores settled runs of its own.
    for (const person of [alice, bob])
      await (await there.person(person.name, { deviceId: 'tablet' })).client.call('getStats');
    return { alice, bob, dora, eve };
  };

  it('does not restore friend requests that their sender had cancelled', async () => {
    const [ann, ben] = [await here.person('ann'), await here.person('ben')];
    for (const friendCode of [(await ben.client.call('getMe')).friendCode, 'NOBODY0000'])
      await ann.client.call('requestFriend', { body: { friendCode } });
    const sent = async () => (await ann.client.call('listFriendRequests')).sent;
    for (const { id } of await sent()) await ann.client.call('cancelFriendRequest', { params: { id } });
    await ben.client.deleteAccount();
    await erase();
    expect(await sent()).toEqual([]);
  });

  it('leaves only HMACs in the ledger, in every collection, and changes no row of other users', async () => {
    const { alice, bob, dora, eve } = await writeEverywhere();
    const sub = here.apple.subjectOf('alice');
    const needles = [alice.userId, sub, /alice/i];
    const names = ({ text }: { text: string }) => needles.some((needle) => text.search(needle) >= 0);

    expect(await collections()).toEqual([...dataMap.keys()].sort());
    const before = await dump();
    const held = new Set(before.filter(names).map(({ collection }) => collection));
    const erased = [...dataMap].flatMap(([collection, { fate }]) => (fate === 'erased' ? [collection] : []));
    expect([...held].sort()).toEqual(erased.sort());
    const statsOfBob = await bob.client.call('getStats');
    const recordsOfBob = await db.collection('puffrecords').countDocuments({ person: bob.userId });

    expect(await alice.client.deleteAccount()).toEqual({ manualRevocationRequired: false });
    await erase();

    const after = await dump();
    expect(after.filter(names)).toEqual([]);
    const ledger = after.filter(({ collection }) => collection === 'erasureledger');
    expect(ledger.map(({ text }) => JSON.parse(text) as unknown)).toEqual([
      {
        _id: expect.stringMatching(/^[0-9a-f]{64}$/),
        appleSub: expect.stringMatching(/^[0-9a-f]{64}$/),
        at: '2026-10-21T10:00:00.000Z',
      },
    ]);

    // The write probe changes its own row all the time.
    const others = before.filter((line) => !names(line) && line.collection !== 'writeprobes');
    const afterwards = new Set(after.map(({ collection, text }) => `${collection} ${text}`));
    expect(others.filter(({ collection, text }) => !afterwards.has(`${collection} ${text}`))).toEqual([]);
    expect(others.length).toBeGreaterThan(recordsOfBob);
    expect(await bob.client.call('getStats')).toEqual({
      ...statsOfBob,
      asOf: expect.any(String),
      longestGapTodaySeconds: expect.any(Number),
      streaks: { ...statsOfBob.streaks, abstinenceSeconds: expect.anything() },
    });
    expect(await bob.client.call('listFriends')).toEqual({ friends: [] });
    // The friend request stays listed for its sender, to whom the deletion reveals nothing (domain.md D10).
    expect((await dora.client.call('listFriendRequests')).sent).toHaveLength(1);
    expect(await eve.client.call('listFriendRequests')).toEqual({ received: [], sent: [] });
  });

  it('keeps the ledger entry for 24 months', async () => {
    const alice = await here.person('alice');
    const endedAt = here.clock.now();
    await alice.client.deleteAccount();
    const rows = () => db.collection('erasureledger').countDocuments({ at: new Date(endedAt) });
    here.clock.set('2028-10-20T09:00:00Z');
    await here.jobs.run('erasure-ledger');
    expect(await rows()).toBe(1);
    here.clock.set('2028-10-22T09:00:00Z');
    await here.jobs.run('erasure-ledger');
    expect(await rows()).toBe(0);
  });
});
