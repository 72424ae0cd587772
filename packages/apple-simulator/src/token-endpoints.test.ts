import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify, SignJWT } from 'jose';
import { startAppleSimulator } from './index.ts';
import type { AppleSimulator } from './index.ts';

const start = Date.UTC(2026, 0, 15, 9);
const teamId = 'TEAM000001';
const clientId = 'com.example.pufftrack';
const nonce = 'a'.repeat(64);
const teamKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const maxLifetimeSeconds = 15_777_000;

let nowMs: number;
let simulator: AppleSimulator;
beforeEach(async () => {
  nowMs = start;
  const clientSecretKey = teamKey.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  simulator = await startAppleSimulator({ now: () => nowMs, teamId, clientSecretKey });
});
afterEach(async () => {
  await simulator.close();
});

interface Secret {
  iss?: string;
  aud?: string;
  sub?: string;
  iat?: number;
  exp?: number;
  kid?: string | undefined;
  key?: KeyObject;
}
/** Seconds count from the start of the test. */
const secretOf = ({
  iat = 0,
  exp = 3600,
  key = teamKey.privateKey,
  ...over
}: Secret = {}): Promise<string> => {
  const {
    iss = teamId,
    aud = 'https://appleid.apple.com',
    sub = clientId,
    kid,
  } = { kid: 'KEY0000001', ...over };
  return new SignJWT({ iss, aud, sub, iat: start / 1000 + iat, exp: start / 1000 + exp })
    .setProtectedHeader({ alg: 'ES256', ...(kid !== undefined && { kid }) })
    .sign(key);
};

const post = async (path: string, fields: Record<string, string>, from = simulator) => {
  const signedIn = { client_id: clientId, client_secret: await secretOf(), ...fields };
  const response = await fetch(`${from.baseUrl}${path}`, {
    method: 'POST',
    body: new URLSearchParams(signedIn),
  });
  const text = await response.text();
  return {
    status: response.status,
    text,
    body: (text === '' ? {} : JSON.parse(text)) as Record<string, string>,
  };
};
const exchange = (code: string, fields: Record<string, string> = {}, from = simulator) =>
  post('/auth/token', { grant_type: 'authorization_code', code, ...fields }, from);
const refresh = (token: string) => post('/auth/token', { grant_type: 'refresh_token', refresh_token: token });
const revoke = (token: string) => post('/auth/revoke', { token, token_type_hint: 'refresh_token' });

const person = { person: 'alice', clientId, nonce, name: { firstName: 'Alice' } };
const newCode = async (from = simulator): Promise<string> => (await from.authorize(person)).authorizationCode;

const invalidGrant = { status: 400, body: { error: 'invalid_grant' } };
const invalidClient = { status: 400, body: { error: 'invalid_client' } };

describe('POST /auth/token with a code', () => {
  it('gives tokens, and an id_token of the same person', async () => {
    const { authorizationCode, user } = await simulator.authorize({ ...person, email: 'a@example.com' });
    const { status, body } = await exchange(authorizationCode);
    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: expect.any(String),
      id_token: expect.any(String),
    });
    const keys = createRemoteJWKSet(new URL(`${simulator.baseUrl}/auth/keys`));
    const { payload } = await jwtVerify(body.id_token!, keys, {
      audience: clientId,
      currentDate: new Date(nowMs),
    });
    expect(payload).toMatchObject({ sub: user, nonce, email: 'a@example.com', at_hash: expect.any(String) });
  });

  it('takes a code once, of parallel uses too', async () => {
    const code = await newCode();
    const answers = await Promise.all(Array.from({ length: 5 }, () => exchange(code)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400, 400]);
    expect(await exchange(code)).toMatchObject(invalidGrant);
    expect(simulator.codeExchanges).toBe(1);
  });

  it('takes a code for five minutes', async () => {
    const [inTime, late] = [await newCode(), await newCode()];
    nowMs = start + 5 * 60_000 - 1;
    expect((await exchange(inTime)).status).toBe(200);
    nowMs = start + 5 * 60_000;
    expect(await exchange(late)).toMatchObject(invalidGrant);
  });

  it('refuses an unknown code, and the code of another app without spending it', async () => {
    expect(await exchange('c0000.0.rsy.unknown')).toMatchObject(invalidGrant);
    const code = await newCode();
    const other = 'com.example.other';
    const fields = { client_id: other, client_secret: await secretOf({ sub: other }) };
    expect(await exchange(code, fields)).toMatchObject(invalidGrant);
    expect((await exchange(code)).status).toBe(200);
  });

  it('refuses another grant type, and a form that does not say that it is one', async () => {
    expect(await exchange(await newCode(), { grant_type: 'password' })).toMatchObject({
      status: 400,
      body: { error: 'unsupported_grant_type' },
    });
    const fields = { client_id: clientId, client_secret: await secretOf(), grant_type: 'authorization_code' };
    const body = new URLSearchParams({ ...fields, code: await newCode() }).toString();
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${simulator.baseUrl}/auth/token`, { method: 'POST', headers, body });
    expect([response.status, await response.json()]).toEqual([400, invalidClient.body]);
  });
});

describe('client_secret (SIWA-7)', () => {
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const shapes: [string, Secret][] = [
    ['another team', { iss: 'TEAM000002' }],
    ['another audience', { aud: 'https://account.apple.com' }],
    ['another app', { sub: 'com.example.other' }],
    ['no kid', { kid: undefined }],
    ['expired', { exp: 0 }],
    ['issued in the future', { iat: 3600, exp: 7200 }],
    ['a lifetime one second too long', { exp: maxLifetimeSeconds + 1 }],
    ['a lifetime too long from now, issued within the skew', { iat: 30, exp: maxLifetimeSeconds + 10 }],
    ['a lifetime too long, most of it past', { iat: -100, exp: maxLifetimeSeconds - 99 }],
  ];

  it.each([...shapes, ['the key of a stranger', { key: stranger }] as [string, Secret]])(
    'is refused: %s',
    async (_case, secret) => {
      const code = await newCode();
      expect(await exchange(code, { client_secret: await secretOf(secret) })).toMatchObject(invalidClient);
      expect((await exchange(code)).status).toBe(200);
    },
  );

  it.each(['', 'x', 'a.b.c'])('is refused: "%s"', async (client_secret) => {
    expect(await exchange(await newCode(), { client_secret })).toMatchObject(invalidClient);
    expect(await post('/auth/revoke', { client_secret, token: 'r' })).toMatchObject(invalidClient);
    expect(simulator.revokedTokens).toEqual([]);
  });

  it('may live as long as Apple allows', async () => {
    const client_secret = await secretOf({ exp: maxLifetimeSeconds });
    expect((await exchange(await newCode(), { client_secret })).status).toBe(200);
  });

  it('is checked by shape alone without a key', async () => {
    const lenient = await startAppleSimulator({ now: () => nowMs, teamId });
    try {
      const code = await newCode(lenient);
      const misshapen = { client_secret: await secretOf({ iss: 'TEAM000002' }) };
      expect(await exchange(code, misshapen, lenient)).toMatchObject(invalidClient);
      const strangers = { client_secret: await secretOf({ key: stranger }) };
      expect((await exchange(code, strangers, lenient)).status).toBe(200);
    } finally {
      await lenient.close();
    }
  });
});

describe('POST /auth/token with a refresh token', () => {
  it('returns a new access token for every call, and no new refresh token', async () => {
    const { refresh_token: token } = (await exchange(await newCode())).body;
    for (const { status, body } of [await refresh(token!), await refresh(token!)]) {
      expect(status).toBe(200);
      expect(Object.keys(body).sort()).toEqual(['access_token', 'expires_in', 'id_token', 'token_type']);
    }
    expect(await refresh('r0000.0.rsy.unknown')).toMatchObject(invalidGrant);
  });
});

describe('POST /auth/revoke', () => {
  it('answers 200 with an empty body, records the token and ends the grant', async () => {
    const { refresh_token: token } = (await exchange(await newCode())).body;
    const unusedCode = await newCode();
    expect(await simulator.authorize(person)).not.toHaveProperty('name');

    expect(await revoke(token!)).toEqual({ status: 200, text: '', body: {} });
    expect(simulator.revokedTokens).toEqual([token]);
    expect(await refresh(token!)).toMatchObject(invalidGrant);
    expect(await exchange(unusedCode)).toMatchObject(invalidGrant);
    expect(await simulator.authorize(person)).toHaveProperty('name');
  });

  it('leaves the grants of other people alone', async () => {
    const bob = await simulator.authorize({ ...person, person: 'bob' });
    const { refresh_token: bobs } = (await exchange(bob.authorizationCode)).body;
    const { access_token: alices } = (await exchange(await newCode())).body;
    await revoke(alices!);
    expect((await refresh(bobs!)).status).toBe(200);
  });

  it('answers 200 to a token that it does not know, as Apple does, and 400 to none', async () => {
    expect((await revoke('stale')).status).toBe(200);
    expect(simulator.revokedTokens).toEqual(['stale']);
    expect(await revoke('')).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });
});
