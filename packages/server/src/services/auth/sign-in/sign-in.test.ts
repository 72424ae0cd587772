import { describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { Purpose, User } from '@pufftrack/contract';
import {
  adult,
  clientId,
  mintToken,
  newPerson,
  sha256Hex,
  useAuthWorld,
  type AuthNode,
  type AuthWorld,
} from '../../../../test/auth-server.ts';

const minute = 60_000;

let world: AuthWorld;
let node: AuthNode;
useAuthWorld((started) => ({ world, node } = started));

const countIn = (collection: string, filter: object = {}) =>
  node.connection.collection(collection).countDocuments(filter);

/** A consent to the current version. */
const currentConsent = async (purpose: Purpose) => ({
  purpose,
  version: ((await node.get('/legal/versions')).body as Record<string, unknown>)[purpose] as string,
});

describe('POST /auth/apple', () => {
  it('creates an account at the first sign-in and opens it at the next', async () => {
    const { nonce, expiresAt } = await node.newNonce();
    expect(Buffer.from(nonce, 'base64url')).toHaveLength(32);
    expect(Date.parse(expiresAt) - world.clock.now()).toBe(10 * minute);

    const person = newPerson();
    const first = await node.signIn(person, {
      ...adult,
      user: { name: { firstName: ' Alice ', lastName: 'Example' } },
      device: { id: 'phone', name: 'iPhone', model: 'iPhone17,1' },
      timeZone: 'Europe/Berlin',
    });
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({
      tokenType: 'Bearer',
      expiresIn: 900,
      refreshExpiresIn: 60 * 24 * 3600,
      isNewUser: true,
      user: { name: 'Alice Example', email: null, timeZone: 'Europe/Berlin', ageBand: '18+' },
    });
    const me = await node.get('/users/me', first.body['accessToken'] as string);
    expect(me.body).toEqual(first.body['user']);

    const again = await node.signIn(person, {});
    expect(again.body).toMatchObject({ isNewUser: false, user: { id: (first.body['user'] as User).id } });
  });

  it('works after a start while Apple was unreachable (SIWA-2)', async () => {
    world.apple.setOutage('refuse');
    const other = await world.node();
    world.apple.setOutage('none');
    expect((await other.signIn(newPerson())).status).toBe(200);
  });
});

describe('rejections that store nothing and consume no nonce', () => {
  it.each<[object, number, string]>([
    [{}, 403, 'age-confirmation-required'],
    [{ ageBand: 'under-18' }, 403, 'under-age'],
    [{ ageBand: '18+', consents: [{ purpose: 'terms', version: 'none-such' }] }, 422, 'consent-version'],
  ])('%j: %d %s', async (extra, status, code) => {
    const { nonce } = await node.newNonce();
    const sub = newPerson();
    const body = { identityToken: await mintToken(world, nonce, {}, sub), nonce };
    const before = [await countIn('users'), await countIn('sessions')];
    expect((await node.post('/auth/apple', { ...body, ...extra })).body).toMatchObject({ status, code });
    expect([await countIn('users'), await countIn('sessions')]).toEqual(before);
    expect(await countIn('applelinks', { sub })).toBe(0);
    expect((await node.post('/auth/apple', { ...body, ...adult })).status).toBe(200);
  });

  it.each([true, false])(
    '422 consent-version at a repeated sign-in, with a code: %p; the same body with the current version succeeds',
    async (withCode) => {
      const person = newPerson();
      await node.signIn(person);
      const { nonce } = await node.newNonce();
      const sheet = await world.apple.authorize({ person, clientId, nonce: sha256Hex(nonce) });
      const body = {
        identityToken: sheet.identityToken,
        nonce,
        ...(withCode && { authorizationCode: sheet.authorizationCode }),
      };
      const old = { consents: [{ purpose: 'terms', version: '2020-01-01' }] };
      const before = await countIn('sessions');
      const codes = world.apple.codeExchanges;
      const refused = await node.post('/auth/apple', { ...body, ...old });
      expect(refused.body).toMatchObject({
        status: 422,
        code: 'consent-version',
        errors: [{ path: 'consents.0.version' }],
      });
      expect(await countIn('sessions')).toBe(before);
      expect(world.apple.codeExchanges).toBe(codes);
      const consents = [await currentConsent('terms')];
      expect((await node.post('/auth/apple', { ...body, consents })).status).toBe(200);
      expect(world.apple.codeExchanges).toBe(codes + (withCode ? 1 : 0));
    },
  );

  it('503 apple-unavailable with Retry-After while Apple is down and the key unknown (SIWA-5)', async () => {
    const { nonce } = await node.newNonce();
    const body = { identityToken: await mintToken(world, nonce), nonce, ...adult };
    // The start fetches keys too.
    world.apple.setOutage('error');
    const cold = await world.node();
    const refused = await cold.post('/auth/apple', body);
    expect(refused.body).toMatchObject({ status: 503, code: 'apple-unavailable' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    world.apple.setOutage('none');
    expect((await cold.post('/auth/apple', body)).status).toBe(200);
  });
});

describe('first sign-ins in parallel (SIWA-14)', () => {
  it('100 of one person create one account and all succeed', async () => {
    const person = newPerson();
    const answers = await Promise.all(Array.from({ length: 100 }, () => node.signIn(person)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => (body['user'] as User).id)).size).toBe(1);
    expect(answers.filter(({ body }) => body['isNewUser'])).toHaveLength(1);
    expect(await countIn('applelinks', { sub: world.apple.subjectOf(person) })).toBe(1);
    const tokens = answers.map(({ body }) => body['accessToken'] as string);
    const alive = await Promise.all(tokens.map((token) => node.get('/users/me', token)));
    expect(alive.filter(({ status }) => status === 200)).toHaveLength(10);
  });

  it('of one person at two processes create one account', async () => {
    const other = await world.node();
    for (let round = 0; round < 5; round++) {
      const person = newPerson();
      const answers = await Promise.all(
        [node, other, node, other, node, other].map((at) => at.signIn(person)),
      );
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
      expect(new Set(answers.map(({ body }) => (body['user'] as User).id)).size).toBe(1);
    }
  });
});

describe('the log', () => {
  it('contains sign-ins and rejections, and no secret (LOG-1)', async () => {
    const person = newPerson();
    await node.signIn(person);
    const { nonce } = await node.newNonce();
    const sub = world.apple.subjectOf(person);
    const claims = { aud: clientId, email: 'canary@example.com', email_verified: true };
    const identityToken = await mintToken(world, nonce, { claims }, sub);
    const body = { identityToken, nonce, ...adult, user: { name: { firstName: 'Canary' } } };
    const answer = await node.post('/auth/apple', { ...body, authorizationCode: 'canary-code' });
    const expired = await mintToken(world, nonce, {
      claims: { aud: clientId, exp: 1, email: 'canary@example.com' },
    });
    await node.post('/auth/apple', { ...body, identityToken: expired });

    const text = JSON.stringify(node.log);
    expect(node.log).toContainEqual(expect.objectContaining({ event: 'auth.sign_in', isNewUser: true }));
    expect(node.log).toContainEqual(
      expect.objectContaining({ event: 'auth.sign_in_refused', code: 'invalid-identity-token' }),
    );
    const secrets = [
      identityToken,
      decodeJwt(identityToken).sub!,
      nonce,
      answer.body['accessToken'] as string,
      answer.body['refreshToken'] as string,
    ];
    for (const secret of [...secrets, 'canary', 'Canary', 'eyJ', 'ptr_']) expect(text).not.toContain(secret);
  });
});
