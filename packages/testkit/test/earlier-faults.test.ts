import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { createLogger } from '@pufftrack/server';
import { io } from 'socket.io-client';
import {
  createFriendship,
  sha256Hex,
  startTestApp,
  testClientId,
  type Person,
  type TestApp,
} from '../src/index.ts';

/** The faults of an earlier PuffTrack backend, one test each; each test would fail against it. */
describe('faults of an earlier backend', () => {
  let app: TestApp;
  const lines: string[] = [];

  beforeAll(async () => {
    const log = createLogger({
      level: 'debug',
      destination: { write: (line: string) => void lines.push(line) },
    });
    app = await startTestApp({ log });
  });
  afterAll(() => app.close());

  const tokenOf = (person: Person) => person.client.accessToken() ?? '';
  const signInWith = async (claims: object, body: object = {}) => {
    const nobody = app.client();
    const { nonce } = await nobody.call('createNonce');
    const identityToken = await app.apple.mintIdentityToken({
      claims: { aud: testClientId, sub: randomUUID(), nonce: sha256Hex(nonce), ...claims },
    });
    return nobody.call('signInWithApple', { body: { identityToken, nonce, ageBand: '18+', ...body } });
  };

  it('P1: a token that Apple signed for another app, issuer or nonce is rejected', async () => {
    for (const claims of [{ aud: 'com.example.other' }, { iss: 'https://evil.example' }])
      await expect(signInWith(claims)).rejects.toMatchObject({ code: 'invalid-identity-token' });
    for (const nonce of [undefined, sha256Hex('another')])
      await expect(signInWith({ nonce })).rejects.toMatchObject({ code: 'invalid-nonce' });
  });

  it('P2: the email address never comes from the body, and none is required', async () => {
    const sub = randomUUID();
    const first = await signInWith({ sub }, { email: 'victim@example.com' });
    expect(first).toMatchObject({ isNewUser: true, user: { email: null } });
    expect(await signInWith({ sub }, { email: null })).toMatchObject({ isNewUser: false });
  });

  it('P3: only its recipient can accept a friend request', async () => {
    const [victim, mallory] = [await app.person('p3-victim'), await app.person('p3-mallory')];
    const { friendCode } = await victim.client.call('getMe');
    await mallory.client.call('requestFriend', { body: { friendCode } });
    const { received } = await victim.client.call('listFriendRequests');
    const { sent } = await mallory.client.call('listFriendRequests');
    for (const requestId of [received[0]?.id ?? '', sent[0]?.id ?? ''])
      await expect(mallory.client.call('acceptFriend', { body: { requestId } })).rejects.toMatchObject({
        status: 404,
      });
    expect((await mallory.client.call('listFriends')).friends).toEqual([]);
  });

  it('P4: friends see no address, and ids cannot be guessed', async () => {
    const [one, other] = [await app.person('p4-one'), await app.person('p4-other')];
    const { friendCode } = await other.client.call('getMe');
    await one.client.call('requestFriend', { body: { friendCode } });
    const requests = await other.client.call('listFriendRequests');
    expect(JSON.stringify(requests)).not.toContain('@');
    const requestId = requests.received[0]?.id ?? '';
    const accepted = await other.client.call('acceptFriend', { body: { requestId } });
    expect(JSON.stringify([accepted, await one.client.call('listFriends')])).not.toContain('@');
    for (const id of [requestId, one.userId, other.userId]) expect(id.length).toBeGreaterThanOrEqual(22);
  });

  it('P5: tokens are short, name their key and session, end with it, and never travel in a URL', async () => {
    const person = await app.person('p5');
    const token = tokenOf(person);
    const claims = decodeJwt(token);
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'ES256', kid: expect.any(String) });
    expect((claims.exp ?? Infinity) - (claims.iat ?? 0)).toBeLessThanOrEqual(900);
    expect(claims).toHaveProperty('sid');
    const inUrl = io(app.url, {
      query: { token },
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
    });
    await new Promise<void>((resolve, reject) => {
      inUrl.once('connect_error', () => {
        resolve();
      });
      inUrl.once('connect', () => {
        reject(new Error('a token in the URL was taken'));
      });
    });
    inUrl.disconnect();
    const socket = await person.connect();
    const elsewhere = await person.signInAgain();
    const { sessions } = await elsewhere.client.call('listSessions');
    const id = sessions.find(({ current }) => !current)?.id ?? '';
    await elsewhere.client.call('endSession', { params: { id } });
    expect(await socket.next('sessionEnded')).toEqual({ reason: 'logout' });
    socket.close();
  });

  it('P6: every retry is acknowledged and counts once', async () => {
    const person = await app.person('p6');
    const puffs = Array.from({ length: 5 }, () => ({ id: randomUUID(), timestamp: '2026-10-21T09:00:00Z' }));
    const send = () => person.client.call('recordPuffBatch', { body: { puffs } });
    const answers = [await send(), ...(await Promise.all([send(), send(), send()]))];
    for (const { results } of answers.slice(1))
      expect(results.map(({ status }) => status)).toEqual(Array(5).fill('duplicate'));
    expect((await person.client.call('getStats')).totalPuffCount).toBe(5);
  });

  it('P7: a batch and the future have bounds, and everything that writes is limited', async () => {
    const limited = await startTestApp({ edge: { rateLimitScale: 0.02 } });
    try {
      const person = await limited.person('p7');
      const at = (timestamp: string) => ({ id: randomUUID(), timestamp });
      const puffs = Array.from({ length: 1_001 }, () => at('2026-10-21T09:00:00Z'));
      await expect(person.client.call('recordPuffBatch', { body: { puffs } })).rejects.toMatchObject({
        code: 'invalid',
      });
      const { results } = await person.client.call('recordPuffBatch', {
        body: { puffs: [at('2027-01-01T00:00:00Z')] },
      });
      expect(results[0]).toMatchObject({ status: 'rejected', code: 'timestamp-in-future' });
      const more = async () => {
        for (let call = 0; call < 20; call++) await person.client.call('recordPuff', { body: {} });
      };
      await expect(more()).rejects.toMatchObject({ code: 'rate-limited' });
    } finally {
      await limited.close();
    }
  });

  it('P8: a day follows the time zone of the user, and has 25 hours at the end of summer time', async () => {
    const berlin = await app.person('p8-berlin', { timeZone: 'Europe/Berlin' });
    const kiritimati = await app.person('p8-kiritimati', { timeZone: 'Pacific/Kiritimati' });
    app.clock.set('2026-10-25T22:30:00Z'); // 23:30 in Berlin, at the end of the day of 25 hours
    for (const timestamp of ['2026-10-24T22:00:00Z', '2026-10-25T22:29:00Z'])
      for (const { client } of [berlin, kiritimati]) await client.call('recordPuff', { body: { timestamp } });
    expect(await berlin.client.call('getStats')).toMatchObject({ today: '2026-10-25', dailyPuffCount: 2 });
    expect(await kiritimati.client.call('getStats')).toMatchObject({
      today: '2026-10-26',
      dailyPuffCount: 1,
    });
    app.clock.set('2026-10-21T10:00:00Z');
  });

  it('P9: the grant of Apple can be revoked, no name or address is logged, and imports match their files', async () => {
    const [one, other] = [await app.person('p9-canaryone'), await app.person('p9-canarytwo')];
    await createFriendship(one, other, { one: 'live', other: 'live' });
    await one.client.call('recordPuff', { body: { trigger: 'canarytrigger' } });
    await one.client.call('patchMe', { body: { name: 'Canaryname' } });
    const text = lines.join('');
    expect(text).toContain('auth.sign_in');
    for (const secret of ['canary', 'Canary', 'eyJ', 'ptr_', tokenOf(one)])
      expect(text).not.toContain(secret);
    expect(app.apple.codeExchanges).toBeGreaterThan(0);

    const root = resolve(import.meta.dirname, '../..');
    const missing = readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.includes('node_modules') && !file.includes('dist'))
      .flatMap((file) =>
        [...readFileSync(join(root, file), 'utf8').matchAll(/from '(\.[^']+)'/g)]
          .map(([, path]) => join(root, dirname(file), path ?? ''))
          .filter((path) => !existsSync(path)),
      );
    expect(missing).toEqual([]);
  });
});
