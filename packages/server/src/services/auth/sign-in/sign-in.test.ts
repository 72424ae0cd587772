import { createMetrics } from '../../../platform/telemetry/metrics.ts';
import { describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { IdentityTokenOverrides } from '@pufftrack/apple-simulator';
import type { Purpose, User } from '@pufftrack/contract';
import {
  adult,
  clientId,
  newPerson,
  sha256Hex,
  unusedConfig,
  useAuthWorld,
  type AuthNode,
  type AuthWorld,
} from '../../../../test/auth-server.ts';
import { createAuth } from '../index.ts';

const second = 1_000;
const minute = 60 * second;

let world: AuthWorld;
let node: AuthNode;
useAuthWorld((started) => ({ world, node } = started));

const newNonce = async () =>
  (await node.post('/auth/apple/nonce')).body as { nonce: string; expiresAt: string };

const countIn = (collection: string, filter: object = {}) =>
  node.connection.collection(collection).countDocuments(filter);

/** A token of Apple for `nonce` that would be accepted, but for what is laid over it. */
const mint = (nonce: string, over: Partial<IdentityTokenOverrides> = {}, sub = newPerson()) =>
  world.apple.mintIdentityToken({
    ...over,
    claims: { aud: clientId, sub, nonce: sha256Hex(nonce), ...over.claims },
  });

const expectRefused = async (over: Partial<IdentityTokenOverrides>, tamper = (token: string) => token) => {
  const { nonce } = await newNonce();
  const sub = newPerson();
  const refused = await node.post('/auth/apple', {
    identityToken: tamper(await mint(nonce, over, sub)),
    nonce,
    ...adult,
  });
  expect(refused.body).toMatchObject({ status: 401, code: 'invalid-identity-token' });
  expect(await countIn('applelinks', { sub })).toBe(0);
  // The same person with the same nonce and a right token gets in: nothing was spent.
  const accepted = await node.post('/auth/apple', {
    identityToken: await mint(nonce, {}, sub),
    nonce,
    ...adult,
  });
  expect(accepted.status).toBe(200);
};

/** A consent to the version in force. */
const inForce = async (purpose: Purpose) => ({
  purpose,
  version: ((await node.get('/legal/versions')).body as Record<string, unknown>)[purpose] as string,
});

const nowSeconds = () => Math.floor(world.clock.now() / second);

describe('POST /auth/apple', () => {
  it('makes an account at the first sign-in and knows it at the next', async () => {
    const { nonce, expiresAt } = await newNonce();
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

  it('starts while Apple cannot be reached (SIWA-2)', async () => {
    world.apple.setOutage('refuse');
    const other = await world.node();
    world.apple.setOutage('none');
    expect((await other.signIn(newPerson())).status).toBe(200);
  });
});

describe('the identity token (SIWA-1)', () => {
  const headers: Record<string, Record<string, unknown>> = {
    'alg none': { alg: 'none' },
    'HS256 with the public key as its secret': { alg: 'HS256' },
    ES256: { alg: 'ES256' },
    RS512: { alg: 'RS512' },
    PS256: { alg: 'PS256' },
    'a kid that Apple has not': { kid: 'NOTAPPLES0' },
    'no kid': { kid: undefined },
    'a kid that is no text': { kid: 7 },
    jku: { jku: 'https://evil.example/keys' },
    jwk: { jwk: { kty: 'RSA', n: 'AQAB', e: 'AQAB' } },
    x5u: { x5u: 'https://evil.example/cert' },
    x5c: { x5c: ['MIIB'] },
    crit: { crit: ['exp'] },
  };
  it.each(Object.keys(headers))('refuses a header with %s', (name) =>
    expectRefused({ header: headers[name] }),
  );

  const claims: Record<string, () => Record<string, unknown>> = {
    'an exp gone by': () => ({ iat: nowSeconds() - 300, exp: nowSeconds() - 61 }),
    'no exp': () => ({ exp: undefined }),
    'an iat in the future': () => ({ iat: nowSeconds() + 61 }),
    'an iat of more than 10 minutes ago': () => ({ iat: nowSeconds() - 601 }),
    'no iat': () => ({ iat: undefined }),
    'an iat that is text': () => ({ iat: 'now' }),
    'no sub': () => ({ sub: undefined }),
    'an empty sub': () => ({ sub: '' }),
    'a sub that is no text': () => ({ sub: { $ne: null } }),
    'an nbf in the future': () => ({ nbf: nowSeconds() + 120 }),
  };
  it.each(Object.keys(claims))('refuses %s', (name) =>
    expectRefused({ claims: { aud: clientId, ...claims[name]?.() } }),
  );

  it('refuses a signature of a key that Apple has not, under the kid of one that it has', () =>
    expectRefused({ key: 'foreign' }));

  it('refuses a payload that was changed', () =>
    expectRefused({}, (token) => {
      const [header, payload, signature] = token.split('.');
      const claims = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as object;
      const changed = { ...claims, sub: 'somebody-else' };
      return [header, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature].join('.');
    }));

  it.each(['x', 'a.b.c', 'e30.e30.', '....', 'ptr_x.1.y'])('refuses %j', (token) =>
    expectRefused({}, () => token),
  );

  it('accepts what two clocks may differ by', async () => {
    for (const claims of [{ iat: nowSeconds() + 59 }, { iat: nowSeconds() - 599, exp: nowSeconds() - 59 }]) {
      const { nonce } = await newNonce();
      const identityToken = await mint(nonce, { claims: { aud: clientId, ...claims } });
      expect((await node.post('/auth/apple', { identityToken, nonce, ...adult })).status).toBe(200);
    }
  });
});

describe('issuer and audience (SIWA-2, SIWA-3)', () => {
  it.each(['https://appleid.apple.com', 'https://account.apple.com'])(
    'accepts the issuer %s',
    async (iss) => {
      const { nonce } = await newNonce();
      const identityToken = await mint(nonce, { claims: { aud: clientId, iss } });
      expect((await node.post('/auth/apple', { identityToken, nonce, ...adult })).status).toBe(200);
    },
  );

  it.each([
    'https://appleid.apple.com.evil.io',
    'https://appleid.apple.com/',
    'http://appleid.apple.com',
    undefined,
  ])('refuses the issuer %s', (iss) => expectRefused({ claims: { aud: clientId, iss } }));

  it.each(['com.example.other', '', undefined, [], [clientId, 'com.example.other'], { $ne: null }])(
    'P1: refuses the audience %j, a right signature or not',
    (aud) => expectRefused({ claims: { aud } }),
  );

  it('is not made without an audience', () => {
    const make = (config: object) =>
      createAuth({
        connection: node.connection.useDb('unused'),
        clock: world.clock,
        log: undefined as never,
        metrics: createMetrics(),
        accounts: undefined as never,
        inbox: undefined as never,
        devices: undefined as never,
        sockets: undefined as never,
        config: { ...unusedConfig, ...config },
      });
    expect(() => make({ appleClientIds: [] })).toThrow('APPLE_CLIENT_IDS');
  });
});

describe('the nonce (SIWA-4)', () => {
  const signInWith = async (nonce: string, claim: unknown, sub = newPerson()) =>
    node.post('/auth/apple', {
      identityToken: await mint(nonce, { claims: { aud: clientId, nonce: claim } }, sub),
      nonce,
      ...adult,
    });

  it.each<[string, (nonce: string) => unknown]>([
    ['no nonce', () => undefined],
    ['another nonce', () => sha256Hex('another')],
    ['the raw nonce', (nonce) => nonce],
    ['the hash in upper case', (nonce) => sha256Hex(nonce).toUpperCase()],
    ['a nonce that is no text', () => ['x']],
  ])('refuses a token with %s', async (_name, claimOf) => {
    const { nonce } = await newNonce();
    const refused = await signInWith(nonce, claimOf(nonce));
    expect(refused.body).toMatchObject({ status: 401, code: 'invalid-nonce' });
    expect((await signInWith(nonce, sha256Hex(nonce))).status).toBe(200);
  });

  it('refuses a nonce that was never given out, that has expired, or that was used', async () => {
    expect((await signInWith('mine', sha256Hex('mine'))).body.code).toBe('invalid-nonce');

    const { nonce } = await newNonce();
    expect((await signInWith(nonce, sha256Hex(nonce))).status).toBe(200);
    expect((await signInWith(nonce, sha256Hex(nonce))).body.code).toBe('invalid-nonce');

    const old = await newNonce();
    world.clock.advance(10 * minute);
    expect((await signInWith(old.nonce, sha256Hex(old.nonce))).body.code).toBe('invalid-nonce');
  });

  it('gives one 200 to 50 uses at once, of one person or of many', async () => {
    for (const subOf of [() => 'the-same', newPerson]) {
      const { nonce } = await newNonce();
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => signInWith(nonce, sha256Hex(nonce), subOf())),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ body }) => body.code === 'invalid-nonce')).toHaveLength(49);
    }
  });

  it('is stored as its hash alone', async () => {
    const { nonce } = await newNonce();
    const dump = JSON.stringify(await node.connection.collection('nonces').find().toArray());
    expect(dump).toContain(sha256Hex(nonce));
    expect(dump).not.toContain(nonce);
  });
});

describe('refusals that store nothing and spend no nonce', () => {
  it.each<[object, number, string]>([
    [{}, 403, 'age-confirmation-required'],
    [{ ageBand: 'under-18' }, 403, 'under-age'],
    [{ ageBand: '18+', consents: [{ purpose: 'terms', version: 'none-such' }] }, 422, 'consent-version'],
  ])('%j: %d %s', async (extra, status, code) => {
    const { nonce } = await newNonce();
    const sub = newPerson();
    const body = { identityToken: await mint(nonce, {}, sub), nonce };
    const before = [await countIn('users'), await countIn('sessions')];
    expect((await node.post('/auth/apple', { ...body, ...extra })).body).toMatchObject({ status, code });
    expect([await countIn('users'), await countIn('sessions')]).toEqual(before);
    expect(await countIn('applelinks', { sub })).toBe(0);
    expect((await node.post('/auth/apple', { ...body, ...adult })).status).toBe(200);
  });

  it.each([true, false])(
    '422 consent-version at a repeated sign-in, with a code: %p; the same body with the version in force is good',
    async (withCode) => {
      const person = newPerson();
      await node.signIn(person);
      const { nonce } = await newNonce();
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
      const consents = [await inForce('terms')];
      expect((await node.post('/auth/apple', { ...body, consents })).status).toBe(200);
      expect(world.apple.codeExchanges).toBe(codes + (withCode ? 1 : 0));
    },
  );

  it('503 apple-unavailable with Retry-After, where Apple is down and the key unknown (SIWA-5)', async () => {
    const { nonce } = await newNonce();
    const body = { identityToken: await mint(nonce), nonce, ...adult };
    // Keys are fetched at the start too.
    world.apple.setOutage('error');
    const cold = await world.node();
    const refused = await cold.post('/auth/apple', body);
    expect(refused.body).toMatchObject({ status: 503, code: 'apple-unavailable' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    world.apple.setOutage('none');
    expect((await cold.post('/auth/apple', body)).status).toBe(200);
  });
});

describe('consents at a repeated sign-in', () => {
  const consentsOf = async (token: string) =>
    (await node.get('/users/me/consents', token)).body['consents'] as {
      purpose: Purpose;
      granted: boolean;
    }[];

  it('are granted as by PUT /users/me/consents; a purpose that is not named keeps its state', async () => {
    const person = newPerson();
    const first = await node.signIn(person, { ...adult, consents: [await inForce('terms')] });
    const again = await node.signIn(person, {
      consents: [await inForce('health-processing'), await inForce('friends-sharing')],
    });
    const consents = await consentsOf(again.body['accessToken'] as string);
    expect(consents.map(({ purpose, granted }) => [purpose, granted])).toEqual([
      ['terms', true],
      ['health-processing', true],
      ['friends-sharing', true],
    ]);
    const { id: userId } = first.body['user'] as User;
    const ledger = await node.connection.collection('consentrecords').find({ userId }).toArray();
    expect(ledger.map(({ purpose, action }) => `${action} ${purpose}`).sort()).toEqual([
      'grant friends-sharing',
      'grant health-processing',
      'grant terms',
    ]);
  });

  it('leave them as they are where it brings none', async () => {
    const person = newPerson();
    await node.signIn(person, { ...adult, consents: [await inForce('terms')] });
    for (const extra of [{}, { consents: [] }]) {
      const again = await node.signIn(person, extra);
      expect(await consentsOf(again.body['accessToken'] as string)).toHaveLength(1);
    }
  });
});

describe('e-mail address and name', () => {
  const signInAs = async (sub: string, claims: object, extra: object = {}) => {
    const { nonce } = await newNonce();
    const identityToken = await mint(nonce, { claims: { aud: clientId, ...claims } }, sub);
    const answer = await node.post('/auth/apple', { identityToken, nonce, ...adult, ...extra });
    expect(answer.status).toBe(200);
    return answer.body['user'] as User;
  };

  it('P2: takes the address from the token alone, and needs none (SIWA-12)', async () => {
    const sub = newPerson();
    const fromBody = { email: 'victim@example.com', user: { email: 'victim@example.com', name: null } };
    expect((await signInAs(sub, {}, fromBody)).email).toBeNull();
    expect((await signInAs(sub, {})).email).toBeNull();
  });

  it.each([
    [{ email_verified: true }, 'a@example.com'],
    [{ email_verified: 'true', is_private_email: 'true' }, 'a@example.com'],
    [{ email_verified: false }, null],
    [{ email_verified: 'false' }, null],
    [{ email_verified: true, email: { $gt: '' } }, null],
  ])('reads %j', async (claims, email) => {
    expect((await signInAs(newPerson(), { email: 'a@example.com', ...claims })).email).toBe(email);
  });

  it('makes two accounts of two people with one address (SIWA-12)', async () => {
    const claims = { email: 'shared@example.com', email_verified: true };
    const [one, other] = [await signInAs(newPerson(), claims), await signInAs(newPerson(), claims)];
    expect(one.id).not.toBe(other.id);
  });

  it('keeps the first name that arrives (SIWA-13)', async () => {
    const sub = newPerson();
    const named = (firstName: string | null) => ({ user: { name: { firstName } } });
    expect((await signInAs(sub, {})).name).toBeNull();
    expect((await signInAs(sub, {}, named('Alice'))).name).toBe('Alice');
    for (const later of [{}, named(null), named(''), named('Mallory')])
      expect((await signInAs(sub, {}, later)).name).toBe('Alice');
  });
});

describe('first sign-ins in parallel (SIWA-14)', () => {
  it('100 of one person make one account and 100 right answers', async () => {
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

  it('of one person at two processes make one account', async () => {
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
  it('tells of sign-ins and refusals, and of no secret (LOG-1)', async () => {
    const person = newPerson();
    await node.signIn(person);
    const { nonce } = await newNonce();
    const sub = world.apple.subjectOf(person);
    const claims = { aud: clientId, email: 'canary@example.com', email_verified: true };
    const identityToken = await mint(nonce, { claims }, sub);
    const body = { identityToken, nonce, ...adult, user: { name: { firstName: 'Canary' } } };
    const answer = await node.post('/auth/apple', { ...body, authorizationCode: 'canary-code' });
    const expired = await mint(nonce, { claims: { aud: clientId, exp: 1, email: 'canary@example.com' } });
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
