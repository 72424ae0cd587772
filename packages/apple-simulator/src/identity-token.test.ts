import { createHmac, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  compactVerify,
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  importSPKI,
  jwtVerify,
} from 'jose';
import { startAppleSimulator } from './index.ts';
import type { AppleSimulator, IdentityTokenOverrides } from './index.ts';

const start = Date.UTC(2026, 0, 15, 9);
const aud = 'com.example.pufftrack';

let simulator: AppleSimulator;
beforeAll(async () => {
  simulator = await startAppleSimulator({ now: () => start });
});
afterAll(async () => {
  await simulator.close();
});

const mint = (overrides: Partial<IdentityTokenOverrides> = {}): Promise<string> =>
  simulator.mintIdentityToken({ claims: { aud }, ...overrides });

/** Only the signature and the algorithm: what a claim must be is the server's business. */
const verifySignature = (token: string) =>
  compactVerify(token, createRemoteJWKSet(new URL(`${simulator.baseUrl}/auth/keys`)), {
    algorithms: ['RS256'],
  });

describe('mintIdentityToken', () => {
  it('is a right token as long as nothing but the audience is given', async () => {
    const keys = createRemoteJWKSet(new URL(`${simulator.baseUrl}/auth/keys`));
    const { payload, protectedHeader } = await jwtVerify(await mint(), keys, {
      issuer: 'https://appleid.apple.com',
      audience: aud,
      currentDate: new Date(start),
    });
    expect(protectedHeader).toEqual({ alg: 'RS256', kid: simulator.keyId });
    expect(Object.keys(payload).sort()).toEqual([
      'aud',
      'auth_time',
      'exp',
      'iat',
      'iss',
      'nonce_supported',
      'sub',
    ]);
  });

  it('overrides and removes claims, under a good signature', async () => {
    const token = await mint({
      claims: { aud: undefined, sub: '', exp: undefined, iss: 'http://evil', nonce: 'n' },
    });
    await expect(verifySignature(token)).resolves.toBeDefined();
    expect(decodeJwt(token)).toEqual({
      sub: '',
      iss: 'http://evil',
      nonce: 'n',
      iat: start / 1000,
      auth_time: start / 1000,
      nonce_supported: true,
    });
  });

  it('overrides and removes header fields, under a good signature', async () => {
    const token = await mint({ header: { kid: undefined, jku: 'http://evil/keys' } });
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'RS256', jku: 'http://evil/keys' });
    await expect(verifySignature(token)).resolves.toBeDefined();
    expect(decodeProtectedHeader(await mint({ header: { kid: 'UNKNOWN000' } })).kid).toBe('UNKNOWN000');
  });

  it('signs with a key that is not published, under the kid of one that is', async () => {
    const own = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const { privateKey: webKey } = await crypto.subtle.generateKey(
      {
        name: 'RSASSA-PKCS1-v1_5',
        modulusLength: 2048,
        publicExponent: new Uint8Array([1, 0, 1]),
        hash: 'SHA-256',
      },
      true,
      ['sign', 'verify'],
    );
    for (const key of ['foreign', own.privateKey, webKey] as const) {
      const token = await mint({ key });
      expect(decodeProtectedHeader(token).kid).toBe(simulator.keyId);
      await expect(verifySignature(token)).rejects.toMatchObject({
        code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
      });
    }
    await expect(compactVerify(await mint({ key: own.privateKey }), own.publicKey)).resolves.toBeDefined();
  });

  it('leaves the signature empty for the algorithm none', async () => {
    expect(await mint({ header: { alg: 'none' } })).toMatch(/^[\w-]+\.[\w-]+\.$/);
  });

  it('takes the public key as the secret of HS256', async () => {
    const [header, payload, signature] = (await mint({ header: { alg: 'HS256' } })).split('.');
    const expected = createHmac('sha256', simulator.publicKeyPem)
      .update(`${header}.${payload}`)
      .digest('base64url');
    expect(signature).toBe(expected);
  });

  it('obeys other algorithms', async () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const es256 = await mint({ header: { alg: 'ES256' }, key: ec.privateKey });
    await expect(compactVerify(es256, ec.publicKey, { algorithms: ['ES256'] })).resolves.toBeDefined();
    expect(Buffer.from((await mint({ header: { alg: 'ES256' } })).split('.')[2]!, 'base64url')).toHaveLength(
      64,
    );
    for (const alg of ['RS512', 'PS256']) {
      const publicKey = await importSPKI(simulator.publicKeyPem, alg);
      await expect(
        compactVerify(await mint({ header: { alg } }), publicKey, { algorithms: [alg] }),
      ).resolves.toBeDefined();
    }
  });
});
