import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify, type JWTPayload } from 'jose';
import { startAppleSimulator } from './index.ts';
import type { AppleSimulator, AppleSimulatorOptions, AuthorizationRequest } from './index.ts';

const start = Date.UTC(2026, 0, 15, 9);
const now = () => start;
const clientId = 'com.example.pufftrack';
const nonce = createHash('sha256').update('raw nonce').digest('hex');
const request = { person: 'alice', clientId, nonce };

const running: AppleSimulator[] = [];
const simulate = async (options: Partial<AppleSimulatorOptions> = {}): Promise<AppleSimulator> => {
  const simulator = await startAppleSimulator({ now, ...options });
  running.push(simulator);
  return simulator;
};
afterEach(async () => {
  await Promise.all(running.splice(0).map((simulator) => simulator.close()));
});

const keysUrl = ({ baseUrl }: AppleSimulator): string => `${baseUrl}/auth/keys`;

/** As a server verifies: keys over HTTP, issuer, audience, RS256 alone. */
const verify = async (simulator: AppleSimulator, token: string): Promise<JWTPayload> => {
  const keys = createRemoteJWKSet(new URL(keysUrl(simulator)));
  const rules = { issuer: 'https://appleid.apple.com', audience: clientId, algorithms: ['RS256'] };
  return (await jwtVerify(token, keys, { ...rules, currentDate: new Date(start) })).payload;
};

describe('start', () => {
  it('is refused in production', async () => {
    await expect(startAppleSimulator({ now, production: true })).rejects.toThrow(/production/);
  });

  it.each(['0.0.0.0', '::', '192.168.1.4', '127.0.0.1.example.com', ''])(
    'is refused on the host "%s"',
    async (host) => {
      await expect(startAppleSimulator({ now, host })).rejects.toThrow(/loopback/);
    },
  );

  it('rejects on a taken port', async () => {
    const { baseUrl } = await simulate();
    await expect(startAppleSimulator({ now, port: Number(new URL(baseUrl).port) })).rejects.toThrow(
      /EADDRINUSE/,
    );
  });

  it('lets two run side by side, each with keys of its own', async () => {
    const [one, other] = await Promise.all([simulate(), simulate()]);
    const { identityToken } = await one.authorize(request);
    await expect(verify(one, identityToken)).resolves.toBeDefined();
    await expect(verify(other, identityToken)).rejects.toThrow();
  });
});

describe('authorize', () => {
  it('gives a token that verifies against the published keys, with the nonce as it was sent', async () => {
    const simulator = await simulate();
    const { identityToken, authorizationCode, user } = await simulator.authorize(request);
    expect(await verify(simulator, identityToken)).toEqual({
      iss: 'https://appleid.apple.com',
      aud: clientId,
      sub: user,
      nonce,
      iat: start / 1000,
      exp: start / 1000 + 86_400,
      auth_time: start / 1000,
      nonce_supported: true,
      c_hash: createHash('sha256').update(authorizationCode).digest().subarray(0, 16).toString('base64url'),
    });
  });

  it('publishes RSA keys of 2048 bits in the form of Apple, without their private part', async () => {
    const simulator = await simulate();
    const response = await fetch(keysUrl(simulator));
    const { keys } = (await response.json()) as { keys: Record<string, string>[] };
    expect(keys).toHaveLength(1);
    const { kid, n, ...rest } = keys[0]!;
    expect(rest).toEqual({ kty: 'RSA', use: 'sig', alg: 'RS256', e: 'AQAB' });
    expect(kid).toMatch(/^[0-9A-Z]{10}$/);
    expect(Buffer.from(n!, 'base64url')).toHaveLength(256);
  });

  it('gives a person one subject per team, in the shape of Apple', async () => {
    const [one, again, other] = await Promise.all([
      simulate(),
      simulate(),
      simulate({ teamId: 'TEAM000002' }),
    ]);
    const { user } = await one.authorize(request);
    expect(user).toMatch(/^\d{6}\.[0-9a-f]{32}\.\d{4}$/);
    expect(one.subjectOf('alice')).toBe(user);
    expect((await again.authorize({ ...request, clientId: 'com.example.other' })).user).toBe(user);
    expect((await one.authorize({ ...request, person: 'bob' })).user).not.toBe(user);
    expect((await other.authorize(request)).user).not.toBe(user);
  });

  it('hands the name over once per person and app', async () => {
    const simulator = await simulate();
    const named = { ...request, name: { firstName: 'Alice', lastName: 'Able' } };
    expect((await simulator.authorize(named)).name).toEqual(named.name);
    expect(await simulator.authorize(named)).not.toHaveProperty('name');
    expect((await simulator.authorize({ ...named, person: 'bob' })).name).toEqual(named.name);
    expect((await simulator.authorize({ ...named, clientId: 'com.example.other' })).name).toEqual(named.name);
  });

  it.each<[string, Partial<AuthorizationRequest>, object]>([
    ['none', {}, {}],
    ['a real one', { email: 'a@example.com' }, { email: 'a@example.com', email_verified: true }],
    [
      'a real one, flags as strings',
      { email: 'a@example.com', emailClaims: 'string' },
      { email: 'a@example.com', email_verified: 'true' },
    ],
    [
      'a relay address',
      { email: 'x1@privaterelay.appleid.com' },
      { email: 'x1@privaterelay.appleid.com', email_verified: true, is_private_email: true },
    ],
    [
      'a relay address, flags as strings',
      { email: 'x1@privaterelay.appleid.com', emailClaims: 'string' },
      { email: 'x1@privaterelay.appleid.com', email_verified: 'true', is_private_email: 'true' },
    ],
  ])('puts the address into the token: %s', async (_case, shared, expected) => {
    const simulator = await simulate();
    const authorization = await simulator.authorize({ ...request, ...shared });
    const { email, email_verified, is_private_email } = await verify(simulator, authorization.identityToken);
    expect(JSON.parse(JSON.stringify({ email, email_verified, is_private_email }))).toEqual(expected);
    expect(authorization.email).toBe(shared.email);
  });
});

describe('POST /simulator/authorize', () => {
  const post = (simulator: AppleSimulator, body: string) =>
    fetch(`${simulator.baseUrl}/simulator/authorize`, { method: 'POST', body });

  it('answers as authorize does', async () => {
    const simulator = await simulate();
    const response = await post(simulator, JSON.stringify({ ...request, name: { firstName: 'Alice' } }));
    expect(response.status).toBe(200);
    const authorization = (await response.json()) as { identityToken: string };
    expect(authorization).toEqual({
      identityToken: expect.any(String),
      authorizationCode: expect.any(String),
      user: simulator.subjectOf('alice'),
      name: { firstName: 'Alice' },
    });
    expect((await verify(simulator, authorization.identityToken)).nonce).toBe(nonce);
  });

  it.each([
    ['', 'Send JSON'],
    ['{', 'Send JSON'],
    ['[]', 'Send JSON'],
    [JSON.stringify({ ...request, person: 7 }), 'person'],
    [JSON.stringify({ ...request, nonce: undefined }), 'nonce'],
    [JSON.stringify({ ...request, email: 'invalid' }), 'email'],
    [JSON.stringify({ ...request, bundleId: 'x' }), 'bundleId'],
    [JSON.stringify({ ...request, person: 'x'.repeat(70_000) }), 'Send JSON'],
  ])('refuses wrong input %# and says what is wrong', async (body, mentioned) => {
    const response = await post(await simulate(), body);
    expect(response.status).toBe(422);
    expect(await response.json()).toEqual({ error: 'invalid', message: expect.stringContaining(mentioned) });
  });
});

describe('rotateKey', () => {
  it('signs with a new key and keeps the old one published', async () => {
    const simulator = await simulate();
    const { keyId } = simulator;
    const before = await simulator.authorize(request);
    expect(await simulator.rotateKey()).not.toBe(keyId);
    const after = await simulator.authorize(request);
    await expect(verify(simulator, before.identityToken)).resolves.toBeDefined();
    await expect(verify(simulator, after.identityToken)).resolves.toBeDefined();
  });

  it('drops the old key on request', async () => {
    const simulator = await simulate();
    const before = await simulator.authorize(request);
    await simulator.rotateKey({ keepOld: false });
    await expect(verify(simulator, before.identityToken)).rejects.toMatchObject({
      code: 'ERR_JWKS_NO_MATCHING_KEY',
    });
    await expect(
      verify(simulator, (await simulator.authorize(request)).identityToken),
    ).resolves.toBeDefined();
  });
});

describe('setOutage', () => {
  const fetchKeys = (simulator: AppleSimulator, signal?: AbortSignal) =>
    fetch(keysUrl(simulator), { signal: signal ?? null });

  it('resets connections and recovers', async () => {
    const simulator = await simulate();
    await (await fetchKeys(simulator)).text();
    simulator.setOutage('refuse');
    await expect(fetchKeys(simulator)).rejects.toThrow('fetch failed');
    simulator.setOutage('none');
    expect((await fetchKeys(simulator)).status).toBe(200);
    expect(simulator.keyFetches).toBe(2);
  });

  it('cuts the connections that are kept alive', async () => {
    const simulator = await simulate();
    const { hostname, port } = new URL(simulator.baseUrl);
    const socket = connect(Number(port), hostname);
    socket.write(`GET /auth/keys HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
    await once(socket, 'data');
    simulator.setOutage('refuse');
    await once(socket, 'close');
    expect(socket.closed).toBe(true);
  });

  it('answers 500 in HTML, and counts the fetch', async () => {
    const simulator = await simulate();
    simulator.setOutage('error');
    const response = await fetchKeys(simulator);
    expect([response.status, response.headers.get('content-type')]).toEqual([500, 'text/html']);
    expect(simulator.keyFetches).toBe(1);
  });

  it('holds requests for a path until they are released', async () => {
    const simulator = await simulate();
    simulator.hold('/auth/keys');
    let outcome = 'waiting';
    const held = fetchKeys(simulator).then(() => (outcome = 'answered'));
    await simulator.held(1);
    // Another path is answered meanwhile.
    expect((await fetch(`${simulator.baseUrl}/other`)).status).toBe(404);
    expect(outcome).toBe('waiting');
    simulator.release();
    expect(await held).toBe('answered');
    expect((await fetchKeys(simulator)).status).toBe(200);
  });

  it('cuts held requests when it closes', async () => {
    const simulator = await simulate();
    simulator.hold('/auth/keys');
    const held = fetchKeys(simulator).then(
      () => 'answered',
      () => 'cut',
    );
    await simulator.held(1);
    await simulator.close();
    expect(await held).toBe('cut');
  });

  it('does not touch authorize, which stands for the phone', async () => {
    const simulator = await simulate();
    simulator.setOutage('refuse');
    await expect(simulator.authorize(request)).resolves.toHaveProperty('identityToken');
  });
});

describe('the port', () => {
  it('answers 404 to any other call', async () => {
    const { baseUrl } = await simulate();
    expect((await fetch(`${baseUrl}/auth/token`)).status).toBe(404);
    expect((await fetch(`${baseUrl}/.well-known/openid-configuration`)).status).toBe(404);
  });

  it('is free after close, which may be called twice', async () => {
    const simulator = await simulate();
    await (await fetch(keysUrl(simulator))).text();
    await simulator.close();
    await simulator.close();
    await expect(fetch(keysUrl(simulator))).rejects.toThrow('fetch failed');
  });
});

describe('keyFile', () => {
  const folders: string[] = [];
  const newFile = async (): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'apple-simulator-'));
    folders.push(folder);
    return join(folder, 'made-on-demand', 'keys.json');
  };
  afterEach(async () => {
    await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
  });

  it('keeps every published key, readable by its owner alone', async () => {
    const keyFile = await newFile();
    const first = await simulate({ keyFile });
    const before = await first.authorize(request);
    await first.rotateKey();
    const after = await first.authorize(request);
    await first.close();
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);

    const second = await simulate({ keyFile });
    expect([second.keyId, second.publicKeyPem]).toEqual([first.keyId, first.publicKeyPem]);
    await expect(verify(second, before.identityToken)).resolves.toBeDefined();
    await expect(verify(second, after.identityToken)).resolves.toBeDefined();
  });

  it('is left alone when it holds something else', async () => {
    const keyFile = await newFile();
    await (await simulate({ keyFile })).close();
    await writeFile(keyFile, '{"keys":[]}');
    await expect(startAppleSimulator({ now, keyFile })).rejects.toThrow(
      /contains no keys of the Apple simulator/,
    );
    expect(await readFile(keyFile, 'utf8')).toBe('{"keys":[]}');
  });
});
