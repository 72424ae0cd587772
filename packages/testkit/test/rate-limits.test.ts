import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { patienceMs, startTestApp, testClientId, type Person, type TestApp } from '../src/index.ts';
import { closeSockets, eventOf, openSocket, tokenOf } from './bare-sockets.ts';

afterEach(closeSockets);

describe('rate limits (RATE-1)', () => {
  let app: TestApp;
  beforeAll(async () => {
    // Writes: 12 a minute and person; refused tokens: 30 a minute and address.
    app = await startTestApp({ edge: { rateLimitScale: 0.1, trustedHops: 1 } });
  });
  afterAll(() => app.close());

  const get = (path: string, token?: string, forwarded = '198.51.100.7') =>
    fetch(`${app.url}${path}`, {
      headers: {
        'x-forwarded-for': forwarded,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
    });

  it('count for the person: the 13th write is 429, another person goes on', async () => {
    const [alice, bob] = [await app.person('alice'), await app.person('bob')];
    const patch = (person: Person) => person.client.send('patchMe', { body: { dayStartHour: 4 } });
    for (let call = 1; call <= 12; call++) {
      const { headers } = await patch(alice);
      expect(headers.get('ratelimit-policy')).toBe('"write";q=12;w=60');
      expect(headers.get('ratelimit')).toBe(`"write";r=${12 - call};t=60`);
    }
    await expect(patch(alice)).rejects.toMatchObject({
      code: 'rate-limited',
      status: 429,
      retryAfterMs: 60_000,
    });
    expect((await patch(bob)).status).toBe(200);
    expect(await alice.client.call('getMe')).toMatchObject({ dayStartHour: 4 });
    app.clock.advance(60_000);
    expect((await patch(alice)).status).toBe(200);
  });

  it('count refused tokens for the address, which the caller cannot choose', async () => {
    const statuses: number[] = [];
    // What stands left of the proxy's own entry is the caller's invention.
    for (let call = 0; call < 31; call++)
      statuses.push((await get('/users/me', 'rubbish', `203.0.113.${call}, 198.51.100.9`)).status);
    expect(statuses).toEqual([...Array<number>(30).fill(401), 429]);
    expect((await get('/users/me', 'rubbish', '198.51.100.10')).status).toBe(401);
    // Whoever has a token is not kept out by what others on the address do.
    const carla = await app.person('carla');
    expect((await get('/users/me', tokenOf(carla), '198.51.100.9')).status).toBe(200);
  });

  it('take an IPv6 network for one address', async () => {
    const statuses: number[] = [];
    for (let call = 0; call < 31; call++)
      statuses.push((await get('/users/me', 'rubbish', `2001:db8:1:2::${call.toString(16)}`)).status);
    expect(statuses.at(-1)).toBe(429);
    expect((await get('/users/me', 'rubbish', '2001:db8:1:3::1')).status).toBe(401);
  });

  it('end a socket at the third call beyond them, and count unknown events (WS-4)', async () => {
    const dora = await app.person('dora');
    const socket = openSocket(app, { auth: { token: tokenOf(dora) } });
    await eventOf(socket, 'ready');
    const call = (event: string, payload: unknown): Promise<{ error?: { code: string } }> =>
      socket.timeout(patienceMs).emitWithAck(event, payload) as Promise<{ error?: { code: string } }>;
    const codes: (string | undefined)[] = [];
    // 12 a minute, and connecting was the first.
    for (let sent = 0; sent < 13; sent++) codes.push((await call('no-such-event', {})).error?.code);
    expect(codes.slice(0, 11)).toEqual(Array(11).fill('not-found'));
    expect(codes.slice(11)).toEqual(['rate-limited', 'rate-limited']);
    const ended = eventOf(socket, 'disconnect');
    void call('no-such-event', {}).catch(() => undefined);
    expect(await ended).toBe('io server disconnect');
    expect(await app.client().call('healthLive')).toEqual({ status: 'live' });
  });
});

describe('a neighbour at the same address', () => {
  const carrier = '198.51.100.77';
  let app: TestApp;
  beforeAll(async () => {
    // Of the address: 300 nonces, 120 sign-ins, 30 refused tokens a minute. Of a session: 6 refreshes and logouts.
    app = await startTestApp({ edge: { rateLimitScale: 0.1, trustedHops: 1 } });
  });
  afterAll(() => app.close());

  const send = (method: string, path: string, { token, body }: { token?: string; body?: object } = {}) =>
    fetch(`${app.url}${path}`, {
      method,
      headers: {
        'x-forwarded-for': carrier,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const invented = (length: number, call: number) => String(call).padStart(length, '0');
  /** A token with a key id and a session of this server's form, whose signature is wrong. */
  const forged = (call: number, sid: string, kid: string) =>
    `${part({ alg: 'ES256', typ: 'at+jwt', kid })}.${part({ sub: 'x', sid, jti: String(call) })}.${invented(86, call)}`;
  const keyIdOf = (token: string) =>
    (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid;
  const refreshOf = async (person: Person) => {
    const { nonce } = await app.client().call('createNonce');
    const { identityToken } = await app.apple.authorize({
      person: person.name,
      clientId: testClientId,
      nonce: createHash('sha256').update(nonce).digest('hex'),
    });
    return app.client().call('signInWithApple', { body: { identityToken, nonce } });
  };

  const floods: Record<string, (call: number, kid: string) => Promise<Response>> = {
    'asks for nonces': () => send('POST', '/auth/apple/nonce'),
    'signs in with what is no token': () =>
      send('POST', '/auth/apple', { body: { identityToken: 'x', nonce: 'x' } }),
    'refreshes with what is no token': () =>
      send('POST', '/auth/refresh', { body: { refreshToken: 'rubbish' } }),
    'refreshes with invented tokens': (call) =>
      send('POST', '/auth/refresh', {
        body: { refreshToken: `ptr_${invented(26, call)}.1.${invented(43, call)}` },
      }),
    'logs out with invented tokens': (call) =>
      send('POST', '/auth/logout', {
        body: { refreshToken: `ptr_${invented(26, call)}.1.${invented(43, call)}` },
      }),
    'logs out with forged access tokens': (call, kid) =>
      send('POST', '/auth/logout', { token: forged(call, invented(26, call), kid) }),
    'sends what is no access token': () => send('GET', '/users/me', { token: 'rubbish' }),
    'sends forged access tokens': (call, kid) =>
      send('GET', '/users/me', { token: forged(call, invented(26, call), kid) }),
    'sends no token': () => send('GET', '/users/me'),
    'calls unknown paths': () => send('GET', '/nowhere'),
    'calls with wrong methods': () => send('DELETE', '/config'),
    'sends bodies that do not parse': () =>
      fetch(`${app.url}/auth/refresh`, {
        method: 'POST',
        headers: { 'x-forwarded-for': carrier, 'content-type': 'application/json' },
        body: '{',
      }),
    'sends forbidden preflights': () =>
      fetch(`${app.url}/puffs`, {
        method: 'OPTIONS',
        headers: {
          'x-forwarded-for': carrier,
          origin: 'https://evil.example',
          'access-control-request-method': 'POST',
        },
      }),
  };

  it.each(Object.entries(floods))('%s until it is refused: no session there is', async (name, flood) => {
    app.clock.advance(60_000);
    const [alice, bob] = [await app.person(`alice ${name}`), await app.person(`bob ${name}`)];
    const known = await refreshOf(alice);
    const leaving = await refreshOf(bob);
    const { nonce } = await app.client().call('createNonce');
    const { identityToken } = await app.apple.authorize({
      person: alice.name,
      clientId: testClientId,
      nonce: createHash('sha256').update(nonce).digest('hex'),
    });
    const kid = keyIdOf(known.accessToken);
    let status = 0;
    // The largest quota of them is 300.
    for (let call = 0; call < 310 && status !== 429; call++) ({ status } = await flood(call, kid));
    expect(status).toBe(429);

    const refreshed = await send('POST', '/auth/refresh', { body: { refreshToken: known.refreshToken } });
    expect(refreshed.status).toBe(200);
    expect(refreshed.headers.get('ratelimit-policy')).toBe('"session";q=6;w=60');
    // A token that no process has seen before.
    const { accessToken } = (await refreshed.json()) as { accessToken: string };
    expect((await send('GET', '/users/me', { token: accessToken })).status).toBe(200);
    expect((await send('POST', '/puffs', { token: accessToken, body: {} })).status).toBe(201);
    expect((await send('GET', '/config')).status).toBe(200);
    expect((await send('GET', '/.well-known/jwks.json')).status).toBe(200);
    expect((await send('GET', '/legal/versions')).status).toBe(200);
    expect((await send('POST', '/auth/apple', { body: { identityToken, nonce } })).status).toBe(200);
    const { refreshToken } = leaving;
    expect((await send('POST', '/auth/logout', { body: { refreshToken } })).status).toBe(204);
  });

  it('who forges tokens of their own session uses up that session alone', async () => {
    app.clock.advance(60_000);
    const [mallory, victim] = [await app.person('mallory'), await app.person('victim')];
    const own = await refreshOf(mallory);
    const fresh = await refreshOf(victim);
    const sid = (
      JSON.parse(Buffer.from(own.accessToken.split('.')[1] ?? '', 'base64url').toString()) as { sid: string }
    ).sid;
    const statuses: number[] = [];
    for (let call = 0; call < 31; call++)
      statuses.push(
        (await send('GET', '/users/me', { token: forged(call, sid, keyIdOf(own.accessToken)) })).status,
      );
    expect(statuses).toEqual([...Array<number>(30).fill(401), 429]);
    expect((await send('GET', '/users/me', { token: own.accessToken })).status).toBe(429);
    expect((await send('GET', '/users/me', { token: fresh.accessToken })).status).toBe(200);
  });

  it('one account cannot use up the friend requests of an address', async () => {
    app.clock.advance(60_000);
    const [mallory, bob] = [await app.person('mallory'), await app.person('bob')];
    const request = (person: Person) =>
      send('POST', '/friends/request', { token: tokenOf(person), body: { friendCode: 'ABCD123456' } });
    const statuses: number[] = [];
    for (let call = 0; call < 13; call++) statuses.push((await request(mallory)).status);
    // Two a minute of one person; those beyond them do not count for the address, which has sixty.
    expect(statuses).toEqual([202, 202, ...Array<number>(11).fill(429)]);
    expect((await request(bob)).status).toBe(202);
  });
});
