import { describe, expect, it } from '@jest/globals';
import type { IdentityTokenOverrides } from '@pufftrack/apple-simulator';
import { createMetrics } from '../../../platform/telemetry/metrics.ts';
import {
  adult,
  clientId,
  mintToken,
  newPerson,
  unusedConfig,
  useAuthWorld,
  type AuthNode,
  type AuthWorld,
} from '../../../../test/auth-server.ts';
import { createAuth } from '../index.ts';

let world: AuthWorld;
let node: AuthNode;
useAuthWorld((started) => ({ world, node } = started));

const expectRejected = async (over: Partial<IdentityTokenOverrides>, tamper = (token: string) => token) => {
  const { nonce } = await node.newNonce();
  const sub = newPerson();
  const rejected = await node.post('/auth/apple', {
    identityToken: tamper(await mintToken(world, nonce, over, sub)),
    nonce,
    ...adult,
  });
  expect(rejected.body).toMatchObject({ status: 401, code: 'invalid-identity-token' });
  expect(await node.connection.collection('applelinks').countDocuments({ sub })).toBe(0);
  // The same nonce with a valid token is accepted: the rejection consumed nothing.
  const accepted = await node.post('/auth/apple', {
    identityToken: await mintToken(world, nonce, {}, sub),
    nonce,
    ...adult,
  });
  expect(accepted.status).toBe(200);
};

const nowSeconds = () => Math.floor(world.clock.now() / 1_000);

describe('the identity token (SIWA-1)', () => {
  const headers: Record<string, Record<string, unknown>> = {
    'alg none': { alg: 'none' },
    'HS256 with the public key as its secret': { alg: 'HS256' },
    ES256: { alg: 'ES256' },
    RS512: { alg: 'RS512' },
    PS256: { alg: 'PS256' },
    'an unknown kid': { kid: 'NOTAPPLES0' },
    'no kid': { kid: undefined },
    'a kid that is not a string': { kid: 7 },
    jku: { jku: 'https://evil.example/keys' },
    jwk: { jwk: { kty: 'RSA', n: 'AQAB', e: 'AQAB' } },
    x5u: { x5u: 'https://evil.example/cert' },
    x5c: { x5c: ['MIIB'] },
    crit: { crit: ['exp'] },
  };
  it.each(Object.keys(headers))('rejects a header with %s', (name) =>
    expectRejected({ header: headers[name] }),
  );

  const claims: Record<string, () => Record<string, unknown>> = {
    'an exp in the past': () => ({ iat: nowSeconds() - 300, exp: nowSeconds() - 61 }),
    'no exp': () => ({ exp: undefined }),
    'an iat in the future': () => ({ iat: nowSeconds() + 61 }),
    'an iat of more than 10 minutes ago': () => ({ iat: nowSeconds() - 601 }),
    'no iat': () => ({ iat: undefined }),
    'an iat that is a string': () => ({ iat: 'now' }),
    'no sub': () => ({ sub: undefined }),
    'an empty sub': () => ({ sub: '' }),
    'a sub that is not a string': () => ({ sub: { $ne: null } }),
    'an nbf in the future': () => ({ nbf: nowSeconds() + 120 }),
  };
  it.each(Object.keys(claims))('rejects %s', (name) =>
    expectRejected({ claims: { aud: clientId, ...claims[name]?.() } }),
  );

  it('rejects a signature by a foreign key with a known kid', () => expectRejected({ key: 'foreign' }));

  it('rejects a changed payload', () =>
    expectRejected({}, (token) => {
      const [header, payload, signature] = token.split('.');
      const claims = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as object;
      const changed = { ...claims, sub: 'another-user' };
      return [header, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature].join('.');
    }));

  it.each(['x', 'a.b.c', 'e30.e30.', '....', 'ptr_x.1.y'])('rejects %j', (token) =>
    expectRejected({}, () => token),
  );

  it('accepts the tolerated difference of two clocks', async () => {
    for (const claims of [{ iat: nowSeconds() + 59 }, { iat: nowSeconds() - 599, exp: nowSeconds() - 59 }]) {
      const { nonce } = await node.newNonce();
      const identityToken = await mintToken(world, nonce, { claims: { aud: clientId, ...claims } });
      expect((await node.post('/auth/apple', { identityToken, nonce, ...adult })).status).toBe(200);
    }
  });
});

describe('issuer and audience (SIWA-2, SIWA-3)', () => {
  it.each(['https://appleid.apple.com', 'https://account.apple.com'])(
    'accepts the issuer %s',
    async (iss) => {
      const { nonce } = await node.newNonce();
      const identityToken = await mintToken(world, nonce, { claims: { aud: clientId, iss } });
      expect((await node.post('/auth/apple', { identityToken, nonce, ...adult })).status).toBe(200);
    },
  );

  it.each([
    'https://appleid.apple.com.evil.io',
    'https://appleid.apple.com/',
    'http://appleid.apple.com',
    undefined,
  ])('rejects the issuer %s', (iss) => expectRejected({ claims: { aud: clientId, iss } }));

  it.each(['com.example.other', '', undefined, [], [clientId, 'com.example.other'], { $ne: null }])(
    'P1: rejects the audience %j of a validly signed token',
    (aud) => expectRejected({ claims: { aud } }),
  );

  it('createAuth throws without an audience', () => {
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
