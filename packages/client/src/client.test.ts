import { afterEach, describe, expect, test } from '@jest/globals';
import { problem, startTestServer, type ScriptedAnswer, type SeenCall } from '../test/server.ts';
import { createClient } from './client.ts';
import { memoryTokenStore, type Tokens } from './tokens.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A server that rotates as SES-4 says: a retry with the predecessor yields the same successor. */
const startAuthServer = async (options: { loseRotations?: number; refuse?: ScriptedAnswer } = {}) => {
  let current = 1;
  let toLose = options.loseRotations ?? 0;
  const rotate = (body: unknown): ScriptedAnswer => {
    if (options.refuse) return options.refuse;
    const sent = Number((body as { refreshToken: string }).refreshToken.slice(1));
    if (sent < current - 1) return problem('refresh-reused');
    current = sent + 1;
    if (toLose-- > 0) return 'lost';
    const tokens = { accessToken: `a${current}`, refreshToken: `r${current}` };
    return { status: 200, body: { ...tokens, tokenType: 'Bearer', expiresIn: 600, refreshExpiresIn: 1 } };
  };
  let deletion: ScriptedAnswer = problem('reauth-required');
  const acceptDeletion = () => (deletion = { status: 202, body: { manualRevocationRequired: false } });
  const answer = ({ method, url, body, token }: SeenCall): ScriptedAnswer => {
    if (url === '/auth/refresh') return rotate(body);
    if (url === '/auth/logout') return { status: 204 };
    if (token === undefined) return problem('unauthenticated');
    if (method === 'DELETE') return deletion;
    return token === `a${current}` && current > 1
      ? { status: 200, body: { id: token } }
      : problem('token-expired');
  };
  const server = await startTestServer(answer);
  closers.push(server.close);
  const store = memoryTokenStore({ accessToken: 'a1', refreshToken: 'r1', expiresAt: 1_000_000 });
  const clock = { now: 0 };
  const client = createClient({ baseUrl: server.baseUrl, tokens: store, now: () => clock.now });
  const rotations = () => server.calls.filter(({ url }) => url === '/auth/refresh');
  return { server, client, store, clock, rotations, acceptDeletion };
};

describe('refresh', () => {
  test('20 parallel calls with an expired token rotate once and all succeed', async () => {
    const { client, rotations, store } = await startAuthServer();
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.call('getMe')));
    expect(answers.map(({ id }) => id)).toEqual(Array.from({ length: 20 }, () => 'a2'));
    expect(rotations()).toHaveLength(1);
    expect(await store.load()).toEqual({ accessToken: 'a2', refreshToken: 'r2', expiresAt: 600_000 });
  });

  test('a token with less than 30 s left is renewed before the call', async () => {
    const { client, server, clock } = await startAuthServer();
    clock.now = 970_001;
    await client.call('getMe');
    expect(server.calls.map(({ url }) => url)).toEqual(['/auth/refresh', '/users/me']);
  });

  test('one lost answer is retried at once with the same token', async () => {
    const { client, rotations } = await startAuthServer({ loseRotations: 1 });
    await client.call('getMe');
    expect(rotations().map(({ body }) => body)).toEqual([{ refreshToken: 'r1' }, { refreshToken: 'r1' }]);
  });

  test('answers lost again leave the old token, and a later call gets through with it', async () => {
    const { client, store, rotations } = await startAuthServer({ loseRotations: 2 });
    await expect(client.call('getMe')).rejects.toMatchObject({ code: 'network', status: 0 });
    expect(await store.load()).toMatchObject({ refreshToken: 'r1' });
    expect((await client.call('getMe')).id).toBe('a2');
    expect(new Set(rotations().map(({ body }) => JSON.stringify(body)))).toEqual(
      new Set(['{"refreshToken":"r1"}']),
    );
  });

  test('a failed save keeps the old tokens in use', async () => {
    const { server } = await startAuthServer();
    let broken = true;
    const inner = memoryTokenStore({ accessToken: 'a1', refreshToken: 'r1', expiresAt: 1_000_000 });
    const save = (tokens: Tokens | null) =>
      broken ? Promise.reject(new Error('disk full')) : inner.save(tokens);
    const client = createClient({
      baseUrl: server.baseUrl,
      tokens: { load: () => inner.load(), save },
      now: () => 0,
    });
    await expect(client.refresh()).rejects.toThrow('disk full');
    expect(client.accessToken()).toBe('a1');
    broken = false;
    expect(await client.refresh()).toMatchObject({ refreshToken: 'r2' });
  });

  test.each(['session-ended', 'refresh-reused', 'account-gone'] as const)('%s clears them', async (code) => {
    const { client, store } = await startAuthServer({ refuse: problem(code) });
    await expect(client.call('getMe')).rejects.toMatchObject({ code, status: 401 });
    expect(await store.load()).toBeNull();
    expect(client.accessToken()).toBeNull();
  });

  test('a busy auth service does not stop a token that still works', async () => {
    const refuse = problem('overloaded');
    const { client, server, clock } = await startAuthServer({ refuse });
    clock.now = 980_000;
    await expect(client.call('getMe')).rejects.toMatchObject({ code: 'overloaded' });
    expect(server.calls[1]).toMatchObject({ url: '/users/me', token: 'a1' });
  });

  test('a sign-out during a rotation is not undone by its answer', async () => {
    const { client, store } = await startAuthServer();
    const rotation = client.refresh();
    await client.setTokens(null);
    await expect(rotation).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(await store.load()).toBeNull();
  });
});

describe('an account that is gone', () => {
  const waiting = async (client: Awaited<ReturnType<typeof startAuthServer>>['client']) => {
    await client.queue.add({ quantity: 2 });
    await client.queue.add();
    return client;
  };

  test('wipes the tokens and the queue, whichever call learns of it', async () => {
    const { client, store } = await startAuthServer({ refuse: problem('account-gone') });
    await waiting(client);
    expect(await client.queue.flush()).toMatchObject({ pending: 0, stoppedBy: { code: 'account-gone' } });
    expect(await client.queue.list()).toEqual([]);
    expect(await store.load()).toBeNull();
  });

  test('keeps the queue where only the session has ended', async () => {
    const { client, store } = await startAuthServer({ refuse: problem('session-ended') });
    await waiting(client);
    expect(await client.queue.flush()).toMatchObject({ pending: 2, stoppedBy: { code: 'session-ended' } });
    expect(await store.load()).toBeNull();
  });

  test('is what `deleteAccount` leaves; a refused one leaves all as it was', async () => {
    const { client, server, store, acceptDeletion } = await startAuthServer();
    await waiting(client);
    await expect(client.deleteAccount()).rejects.toMatchObject({ code: 'reauth-required' });
    expect(await client.queue.list()).toHaveLength(2);
    expect(await store.load()).not.toBeNull();
    acceptDeletion();
    expect(await client.deleteAccount('code')).toEqual({ manualRevocationRequired: false });
    expect(server.calls.at(-1)).toMatchObject({ method: 'DELETE', body: { authorizationCode: 'code' } });
    expect(await client.queue.list()).toEqual([]);
    expect(await store.load()).toBeNull();
  });
});

describe('calls', () => {
  const start = async (answer: ScriptedAnswer) => {
    const server = await startTestServer(() => answer);
    closers.push(server.close);
    return { server, client: createClient({ baseUrl: `${server.baseUrl}/`, now: () => 0 }) };
  };

  test('a problem becomes an ApiError with Retry-After', async () => {
    const { client } = await start(problem('rate-limited', { 'retry-after': '7' }));
    await expect(client.call('recordPuff', { body: { quantity: 2 } })).rejects.toMatchObject({
      name: 'ApiError',
      status: 429,
      code: 'rate-limited',
      retryAfterMs: 7000,
      problem: { requestId: 'r' },
    });
  });

  test('a declared 503 is an answer', async () => {
    const { client } = await start({ status: 503, body: { status: 'starting' } });
    expect(await client.send('healthStartup')).toMatchObject({ status: 503, body: { status: 'starting' } });
  });

  test.each([
    [200, 'network'],
    [502, 'network'],
    [413, 'payload-too-large'],
  ])('a page of something in between with status %p is %p', async (status, code) => {
    const { client } = await start({ status, body: '<html>' });
    await expect(client.call('getLegalVersions')).rejects.toMatchObject({ status, code });
  });

  test('no server: network', async () => {
    const { client, server } = await start({ status: 204 });
    await server.close();
    await expect(client.call('healthLive')).rejects.toMatchObject({ status: 0, code: 'network' });
  });

  test('signs out by the refresh token, and an own authorization header goes out untouched', async () => {
    const { client, server } = await startAuthServer();
    const headers = { Authorization: 'Bearer forged' };
    await expect(client.send('getMe', {}, { headers })).rejects.toMatchObject({ code: 'token-expired' });
    await client.signOut();
    expect(client.accessToken()).toBeNull();
    expect(server.calls).toMatchObject([
      { url: '/users/me', token: 'forged' },
      { url: '/auth/logout', body: { refreshToken: 'r1' }, token: undefined },
    ]);
  });
});
