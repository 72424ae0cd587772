import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Client } from '@pufftrack/client';
import {
  createFriendship,
  eventually,
  recordEvents,
  sha256Hex,
  startTestApp,
  testClientId,
} from '../src/index.ts';
import {
  codeForToken,
  codeOf,
  lastPassMs,
  startErasureWorld,
  tokenOf,
  type ErasureWorld,
} from './erasure-world.ts';

const second = 1_000;
const minute = 60_000;
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

let world: ErasureWorld;
let here: ErasureWorld['here'];
let there: ErasureWorld['there'];
let db: ErasureWorld['db'];
let erase: ErasureWorld['erase'];
let dump: ErasureWorld['dump'];

const open = async () => {
  world = await startErasureWorld();
  ({ here, there, db, erase, dump } = world);
};
const close = () => world.close();

describe('DELETE /users/me', () => {
  beforeEach(() => open());
  afterEach(close);

  it('takes effect at once for tokens, friends and the sockets of both processes', async () => {
    const [alice, bob] = [await here.person('alice'), await here.person('bob')];
    await createFriendship(alice, bob);
    const token = tokenOf(alice);
    const tablet = await alice.signInAgain();
    const atHere = await alice.connect();
    const elsewhere = there.client();
    const { nonce } = await elsewhere.call('createNonce');
    const sheet = await here.apple.authorize({
      person: 'alice',
      clientId: testClientId,
      nonce: sha256Hex(nonce),
    });
    await elsewhere.signIn({ identityToken: sheet.identityToken, nonce });
    const tokenThere = elsewhere.accessToken() ?? '';
    const atThere = recordEvents(elsewhere.connect());
    await atThere.next('ready');
    const atBob = await bob.connect();
    expect(await codeForToken(there, tokenThere)).toBeUndefined();

    await alice.client.deleteAccount();
    expect(alice.client.accessToken()).toBeNull();
    expect(await atHere.next('sessionEnded')).toEqual({ reason: 'account-gone' });
    expect(await atBob.next('friendRemoved')).toEqual({ friendId: alice.userId });
    expect((await bob.client.call('listFriends')).friends).toEqual([]);
    const { entries } = await bob.client.call('getLeaderboard');
    expect(entries.map(({ userId }) => userId)).toEqual([bob.userId]);
    for (const known of [token, tokenOf(tablet)])
      expect(await codeForToken(here, known)).toBe('account-gone');
    expect(await atThere.next('sessionEnded')).toEqual({ reason: 'account-gone' });
    here.clock.advance(5 * second);
    expect(await codeForToken(there, tokenThere)).toBe('account-gone');
    atThere.close();
    atHere.close();
    atBob.close();
  });

  it('answers account-gone to a client that was offline for weeks', async () => {
    const alice = await here.person('alice');
    const phone = await alice.signInAgain();
    await phone.client.queue.add();
    await alice.client.deleteAccount();
    await erase();
    here.clock.advance(29 * 24 * 60 * minute);
    expect(await phone.client.queue.flush()).toMatchObject({
      stoppedBy: { code: 'account-gone' },
      pending: 0,
    });
    expect(phone.client.accessToken()).toBeNull();
  });

  it('requires a sign-in within the last 5 minutes (SES-9)', async () => {
    const alice = await here.person('alice');
    here.clock.advance(60 * minute);
    expect(await codeOf(alice.client.deleteAccount())).toBe('reauth-required');
    expect(await alice.client.call('getMe')).toMatchObject({ id: alice.userId });
    const again = await alice.signInAgain();
    expect(again.userId).toBe(alice.userId);
    expect(await codeOf(again.client.deleteAccount())).toBeUndefined();
  });

  it('is one erasure and one revocation when called 50 times at once', async () => {
    const alice = await here.person('alice');
    const bob = await here.person('bob');
    const token = tokenOf(alice);
    const answers = await Promise.all(
      range(50).map((index) =>
        fetch(`${(index % 2 === 0 ? here : there).url}/users/me`, {
          method: 'DELETE',
          headers: { authorization: `Bearer ${token}` },
        }),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses).toContain(202);
    expect(statuses.filter((status) => status !== 202 && status !== 401)).toEqual([]);
    await erase();
    expect(await db.collection('erasureledger').countDocuments()).toBe(1);
    expect(await db.collection('erasures').countDocuments()).toBe(1);
    expect(here.apple.revokedTokens).toHaveLength(1);
    expect(await bob.client.call('getMe')).toMatchObject({ id: bob.userId });
  });

  it('does not wait for Apple, and revokes the grant when Apple answers again (SIWA-9)', async () => {
    const alice = await here.person('alice');
    here.apple.setOutage('error');
    expect(await alice.client.deleteAccount('a code')).toEqual({ manualRevocationRequired: false });
    await erase();
    expect(here.apple.revokedTokens).toHaveLength(0);
    expect(await db.collection('users').countDocuments()).toBe(0);
    here.apple.setOutage('none');
    here.clock.advance(75 * minute);
    await here.drain();
    expect(here.apple.revokedTokens).toHaveLength(1);
  });

  it.each([
    ['no code', undefined, true],
    ['a bad code', 'c0ffee.0.bad', true],
    ['the code of another user', 'mallory', true],
    ['a fresh code', 'alice', false],
  ])('without a stored Apple refresh token, with %s', async (_what, codeFor, manual) => {
    const alice = await here.person('alice');
    await here.person('mallory');
    await db.collection('applelinks').updateOne({ userId: alice.userId }, { $set: { refreshToken: null } });
    const isName = codeFor === 'alice' || codeFor === 'mallory';
    const code = isName
      ? (await here.apple.authorize({ person: codeFor, clientId: testClientId, nonce: 'n' }))
          .authorizationCode
      : codeFor;
    expect(await alice.client.deleteAccount(code)).toEqual({ manualRevocationRequired: manual });
    await here.drain();
    expect(here.apple.revokedTokens).toHaveLength(manual ? 0 : 1);
  });

  it('is allowed with every consent withdrawn', async () => {
    const alice = await here.person('alice', { consents: [] });
    expect(await codeOf(alice.client.deleteAccount())).toBeUndefined();
  });

  it('is followed by an empty account when the same Apple ID signs in, also during the erasure', async () => {
    const alice = await here.person('alice');
    await alice.client.call('recordPuffBatch', {
      body: { puffs: range(10).map(() => ({ id: randomUUID(), timestamp: '2026-10-21T09:00:00Z' })) },
    });
    await alice.client.call('putGoal', { body: { mode: 'quit' } });
    await alice.client.deleteAccount();
    const again = await there.person('alice');
    expect(again.userId).not.toBe(alice.userId);
    const blank = async () => {
      expect(await again.client.call('getStats')).toMatchObject({ totalPuffCount: 0, revision: 0 });
      expect((await again.client.call('listPuffs')).puffs).toEqual([]);
      expect(await again.client.call('getGoal')).toMatchObject({ mode: 'track' });
    };
    await blank();
    await erase();
    await blank();
    expect(await again.client.call('recordPuff', { body: {} })).toMatchObject({
      stats: { totalPuffCount: 1 },
    });
  });

  it('leaves none of the puffs that two processes receive meanwhile', async () => {
    const alice = await here.person('alice');
    const phone = await there.person('alice', { deviceId: 'tablet' });
    const bob = await here.person('bob');
    let recorded = 0;
    /** Ends when that process rejects the account too. */
    const stream = async (client: Client) => {
      for (;;) {
        const code = await codeOf(client.call('recordPuff', { body: { id: randomUUID() } }));
        // A concurrent stream of the same client may have cleared the tokens.
        if (code === 'account-gone' || code === 'unauthenticated') return;
        if (code !== undefined && code !== 'overloaded') throw new Error(code);
        recorded += 1;
      }
    };
    await bob.client.call('recordPuff', { body: {} });
    const token = tokenOf(alice);
    const streams = [alice, phone].flatMap(({ client }) => range(4).map(() => stream(client)));
    await eventually('40 puffs are recorded', () => recorded >= 40);
    const { status } = await fetch(`${here.url}/users/me`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${token}` },
    });
    expect(status).toBe(202);
    await Promise.all(streams);
    expect(recorded).toBeGreaterThanOrEqual(40);
    await there.drain();
    await erase();
    here.clock.advance(lastPassMs);
    await erase();
    expect((await dump()).filter(({ text }) => text.includes(alice.userId))).toEqual([]);
    expect(await db.collection('erasures').countDocuments({ doneAt: null })).toBe(0);
    expect(await bob.client.call('getStats')).toMatchObject({ totalPuffCount: 1 });
  });
});

describe('DELETE /users/me from an old app build', () => {
  it('is allowed below MIN_APP_BUILD', async () => {
    const app = await startTestApp({ edge: { minAppBuild: 100 } });
    try {
      const alice = await app.person('alice');
      const headers = { 'x-app-build': '99' };
      expect(await codeOf(alice.client.send('getMe', {}, { headers }))).toBe('upgrade-required');
      expect(await alice.client.send('deleteMe', {}, { headers })).toMatchObject({ status: 202 });
    } finally {
      await app.close();
    }
  });
});
