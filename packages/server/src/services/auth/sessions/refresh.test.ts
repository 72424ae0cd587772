import { createHmac, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import {
  adult,
  clientId,
  publicUrl,
  sha256Hex,
  newPerson,
  useAuthWorld,
  type AuthNode,
  type AuthWorld,
} from '../../../../test/auth-server.ts';

const second = 1_000;
const minute = 60 * second;
const day = 24 * 60 * minute;

let world: AuthWorld;
let node: AuthNode;
useAuthWorld((started) => ({ world, node } = started));

const tokensOf = ({ body }: { body: Record<string, unknown> }) => ({
  access: body['accessToken'] as string,
  refresh: body['refreshToken'] as string,
});
const signIn = async () => tokensOf(await node.signIn(newPerson()));
const refresh = (refreshToken: string, at = node) => at.post('/auth/refresh', { refreshToken });
const codeOf = async (token: string, at = node) => (await at.get('/users/me', token)).body.code;

describe('POST /auth/refresh (SES-2 to SES-4)', () => {
  it('rotates the refresh token and issues a new access token', async () => {
    const first = await signIn();
    const second_ = tokensOf(await refresh(first.refresh));
    const third = tokensOf(await refresh(second_.refresh));
    expect(new Set([first.refresh, second_.refresh, third.refresh]).size).toBe(3);
    for (const { access } of [first, second_, third]) expect(await codeOf(access)).toBeUndefined();
  });

  it('returns one successor to 20 concurrent calls at two processes', async () => {
    const other = await world.node();
    const { refresh: token } = await signIn();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => refresh(token, index % 2 === 0 ? node : other)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const successors = new Set(answers.map((answer) => tokensOf(answer).refresh));
    expect(successors.size).toBe(1);
    const [successor] = successors;
    expect((await refresh(successor ?? '')).status).toBe(200);
  });

  it.each([2, 30, 59])('returns the same successor when the response was lost %i days ago', async (days) => {
    const { refresh: token } = await signIn();
    const lost = tokensOf(await refresh(token));
    world.clock.advance(days * day);
    const again = tokensOf(await refresh(token));
    expect(again.refresh).toBe(lost.refresh);
    expect(await codeOf(again.access)).toBeUndefined();
    expect((await refresh(again.refresh)).status).toBe(200);
  });

  it('extends the idle limit by a repeated refresh, and expires after 61 idle days', async () => {
    const { refresh: token } = await signIn();
    await refresh(token);
    world.clock.advance(59 * day);
    const repeated = await refresh(token);
    expect(repeated.body['refreshExpiresIn']).toBe((60 * day) / second);
    world.clock.advance(59 * day);
    expect((await refresh(token)).status).toBe(200);
    world.clock.advance(61 * day);
    expect((await refresh(token)).body.code).toBe('token-expired');
    expect((await refresh(tokensOf(repeated).refresh)).body.code).toBe('token-expired');
  });

  it('accepts the current token and its predecessor concurrently', async () => {
    const { refresh: old } = await signIn();
    const { refresh: current } = tokensOf(await refresh(old));
    const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(old)));
    expect(new Set(answers.map((answer) => tokensOf(answer).refresh))).toEqual(new Set([current]));
    expect((await refresh(current)).status).toBe(200);
  });

  it('accepts the predecessor for 60 s after a first use days later, and not longer', async () => {
    const first = await signIn();
    await refresh(first.refresh);
    world.clock.advance(5 * day);
    const repeated = tokensOf(await refresh(first.refresh));
    expect(await codeOf(repeated.access)).toBeUndefined();
    world.clock.advance(59 * second);
    expect((await refresh(first.refresh)).status).toBe(200);
    world.clock.advance(2 * second);
    expect((await refresh(first.refresh)).body.code).toBe('refresh-reused');
    expect((await refresh(repeated.refresh)).body.code).toBe('session-ended');
  });

  it('accepts the predecessor for 60 s after the first use of its successor, and not longer', async () => {
    const first = await signIn();
    const next = tokensOf(await refresh(first.refresh));
    expect(await codeOf(next.access)).toBeUndefined();
    world.clock.advance(59 * second);
    expect((await refresh(first.refresh)).status).toBe(200);
    world.clock.advance(second);
    expect((await refresh(first.refresh)).body.code).toBe('refresh-reused');
    expect(await codeOf(next.access)).toBe('session-ended');
  });

  it('ends the session for a token from two rotations ago, with one log line (SES-3)', async () => {
    const first = await signIn();
    const next = tokensOf(await refresh(first.refresh));
    const current = tokensOf(await refresh(next.refresh));
    const { ended } = await node.openSocket(current.access);
    const before = node.log.filter(({ event }) => event === 'auth.refresh_reuse').length;
    const stolen = await Promise.all([refresh(first.refresh), refresh(first.refresh)]);
    for (const { body } of stolen) expect(body.status).toBe(401);
    expect(stolen.map(({ body }) => body.code)).toContain('refresh-reused');
    for (const { access } of [first, next, current]) expect(await codeOf(access)).toBe('session-ended');
    expect((await refresh(current.refresh)).body.code).toBe('session-ended');
    expect(node.log.filter(({ event }) => event === 'auth.refresh_reuse')).toHaveLength(before + 1);
    expect(await node.metrics()).toMatch(
      new RegExp(`^pufftrack_auth_refresh_reuse_total ${before + 1}$`, 'm'),
    );
    expect(await ended).toEqual({ reason: 'refresh-reused' });
  });

  it('expires after 60 idle days, and after a year of daily use (SES-2)', async () => {
    const idle = await signIn();
    world.clock.advance(60 * day);
    expect((await refresh(idle.refresh)).body.code).toBe('token-expired');

    let { refresh: token } = await signIn();
    for (let days = 0; days < 364; days++) {
      world.clock.advance(day);
      token = tokensOf(await refresh(token)).refresh;
    }
    world.clock.advance(day);
    expect((await refresh(token)).body.code).toBe('token-expired');
  });

  it.each<[string, (token: string) => string]>([
    ['another last character', (token) => token.slice(0, -2) + (token.endsWith('A') ? 'BB' : 'AA')],
    ['an incremented counter', (token) => token.replace('.1.', '.2.')],
    ['an unknown session', (token) => token.replace(/ptr_.{26}/, `ptr_${'0'.repeat(26)}`)],
    ['another prefix', (token) => token.replace('ptr_', 'pts_')],
  ])('rejects a token with %s; the original stays valid', async (_what, forge) => {
    const { refresh: token } = await signIn();
    expect((await refresh(forge(token))).body).toMatchObject({ status: 401, code: 'invalid-token' });
    expect((await refresh(token)).status).toBe(200);
  });

  it('cannot be forged from the content of the database (SES-2)', async () => {
    const { refresh: token, access } = await signIn();
    const session = await node.connection
      .collection('sessions')
      .findOne({ _id: decodeJwt(access)['sid'] as never });
    const dump = JSON.stringify(session);
    expect(dump).not.toContain(token.split('.')[2]);
    const sealed = String(session?.['sealedKey']);
    for (const key of [sealed, Buffer.from(sealed, 'base64url'), Buffer.alloc(32)]) {
      const name = token.slice(4).split('.').slice(0, 2).join('.');
      const forged = `ptr_${name}.${createHmac('sha256', key).update(name).digest('base64url')}`;
      expect((await refresh(forged)).body.code).toBe('invalid-token');
    }
  });
});

describe('the access token (SES-1, SES-8)', () => {
  const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const parts = (token: string) => token.split('.') as [string, string, string];
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  /** A valid token but for its signature. */
  const forge = (token: string, header: object = {}, claims: object = {}) =>
    new SignJWT({ ...decodeJwt(token), ...claims })
      .setProtectedHeader({ ...decodeProtectedHeader(token), alg: 'ES256', ...header })
      .sign(foreign.privateKey);

  const attacks: Record<string, (token: string, refreshToken: string) => string | Promise<string>> = {
    'a foreign key under our kid': (token) => forge(token),
    'a foreign key with its own jwk': (token) =>
      forge(token, { jwk: foreign.publicKey.export({ format: 'jwk' }) }),
    'a jku': (token) => forge(token, { jku: 'https://evil.example/keys' }),
    'an x5u': (token) => forge(token, { x5u: 'https://evil.example/cert' }),
    'an unknown kid': (token) => forge(token, { kid: 'unknown' }),
    'alg none': (token) => {
      const [, payload] = parts(token);
      return `${encode({ ...decodeProtectedHeader(token), alg: 'none' })}.${payload}.`;
    },
    'HS256 with the public key as its secret': async (token) => {
      const { keys } = (await node.get('/.well-known/jwks.json')).body as unknown as { keys: object[] };
      const input = `${encode({ ...decodeProtectedHeader(token), alg: 'HS256' })}.${parts(token)[1]}`;
      const mac = createHmac('sha256', JSON.stringify(keys[0])).update(input).digest('base64url');
      return `${input}.${mac}`;
    },
    'a changed payload': (token) => {
      const [header, , signature] = parts(token);
      return `${header}.${encode({ ...decodeJwt(token), sub: 'another-user' })}.${signature}`;
    },
    'a changed header': (token) => {
      const [, payload, signature] = parts(token);
      return `${encode({ ...decodeProtectedHeader(token), typ: 'JWT' })}.${payload}.${signature}`;
    },
    'no signature': (token) => parts(token).slice(0, 2).join('.') + '.',
    'the refresh token': (_token, refreshToken) => refreshToken,
    'an identity token of Apple': () =>
      world.apple.mintIdentityToken({ claims: { aud: clientId, sub: 'x', nonce: sha256Hex('n') } }),
    'a notification of Apple': () =>
      world.apple.mintNotification({ type: 'email-enabled', sub: 'x', clientId }),
    rubbish: () => 'rubbish',
  };
  it.each(Object.keys(attacks))('rejects %s', async (name) => {
    const { access, refresh: refreshToken } = await signIn();
    const attack = (await attacks[name]?.(access, refreshToken)) ?? '';
    const answer = await node.get('/users/me', attack);
    expect(answer.body).toMatchObject({ status: 401, code: 'invalid-token' });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    expect(await codeOf(access)).toBeUndefined();
  });

  it('rejects a token of another issuer with the same keys', async () => {
    const other = await world.node({ config: { publicUrl: 'https://other.test' } });
    expect(await codeOf((await signIn()).access, other)).toBe('invalid-token');
  });

  it('rejects a token after 15 minutes with token-expired', async () => {
    const { access } = await signIn();
    world.clock.advance(15 * minute - second);
    expect(await codeOf(access)).toBeUndefined();
    world.clock.advance(second);
    expect(await codeOf(access)).toBe('token-expired');
    expect(await codeOf(access, await world.node())).toBe('token-expired');
  });

  it('contains ids and times, and no personal data', async () => {
    const answer = await node.signIn(newPerson(), { ...adult, user: { name: { firstName: 'Alice' } } });
    const { access } = tokensOf(answer);
    expect(decodeProtectedHeader(access)).toEqual({
      alg: 'ES256',
      typ: 'at+jwt',
      kid: expect.stringMatching(/^[\w-]{43}$/),
    });
    const claims = decodeJwt(access);
    expect(Object.keys(claims).sort()).toEqual(['aud', 'exp', 'iat', 'iss', 'jti', 'rtc', 'sid', 'sub']);
    expect(claims.iss).toBe(publicUrl);
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(900);
    expect(access).not.toContain(world.apple.subjectOf('alice'));
  });

  it('rejects a token in the URL', async () => {
    const { access } = await signIn();
    for (const name of ['token', 'access_token'])
      expect((await node.get(`/users/me?${name}=${access}`)).body).toMatchObject({ status: 401 });
  });
});
