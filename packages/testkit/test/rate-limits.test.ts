import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApp, type Person, type TestApp } from '../src/index.ts';
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
      socket.timeout(5_000).emitWithAck(event, payload) as Promise<{ error?: { code: string } }>;
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
