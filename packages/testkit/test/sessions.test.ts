import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import type { Problem } from '@pufftrack/contract';
import { inTime, patienceMs, startTestApp, type Person, type TestApp } from '../src/index.ts';

const minute = 60_000;

/** A socket without the SDK, which would renew its tokens. */
interface RawSocket {
  readonly socket: Socket;
  next(event: string): Promise<unknown>;
  call(event: string, payload: object): Promise<{ error?: Problem; expiresIn?: number }>;
}

describe('sessions, at two processes on one database', () => {
  let here: TestApp;
  let there: TestApp;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    here = await startTestApp();
    there = await startTestApp({ mongoUri: here.mongoUri, world: here });
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.disconnect();
  });
  afterAll(async () => {
    await there.close();
    await here.close();
  });

  const open = async (app: TestApp, token: string): Promise<RawSocket> => {
    const socket = io(app.url, {
      auth: { token },
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
    });
    sockets.push(socket);
    const received = new Map<string, { seen: unknown[]; waiting: ((payload: unknown) => void)[] }>();
    const entry = (event: string) => {
      const known = received.get(event) ?? { seen: [], waiting: [] };
      received.set(event, known);
      return known;
    };
    const push = (event: string, payload: unknown) => {
      const { seen, waiting } = entry(event);
      const first = waiting.shift();
      if (first) first(payload);
      else seen.push(payload);
    };
    socket.onAny(push);
    socket.on('disconnect', (reason) => {
      push('disconnect', reason);
    });
    socket.on('connect_error', (error) => {
      push('connect_error', (error as Error & { data?: unknown }).data);
    });
    const next = (event: string) =>
      inTime(
        event,
        new Promise((resolve) => {
          const { seen, waiting } = entry(event);
          if (seen.length > 0) resolve(seen.shift());
          else waiting.push(resolve);
        }),
      );
    const raw: RawSocket = {
      socket,
      next,
      call: (event, payload) =>
        socket.timeout(patienceMs).emitWithAck(event, payload) as ReturnType<RawSocket['call']>,
    };
    await Promise.race([
      next('ready'),
      next('connect_error').then((problem) => Promise.reject(problem as Error)),
    ]);
    return raw;
  };
  const tokenOf = (person: Person) => person.client.accessToken() ?? '';
  const statusOf = async (app: TestApp, path: string, token: string) =>
    (await fetch(`${app.url}${path}`, { headers: { authorization: `Bearer ${token}` } })).status;

  it('are listed newest first; one or all of them can be ended (SES-5)', async () => {
    const phone = await here.person('alice');
    const tablet = await phone.signInAgain();
    const { sessions } = await tablet.client.call('listSessions');
    expect(sessions).toMatchObject([
      { current: true, device: { id: 'alice-phone-1', name: 'iPhone', model: 'iPhone17,1' } },
      { current: false, lastUsedOn: '2026-10-21', createdAt: '2026-10-21T10:00:00.000Z' },
    ]);
    const [, other] = sessions;
    await tablet.client.call('endSession', { params: { id: other?.id ?? '' } });
    await expect(phone.client.call('getMe')).rejects.toMatchObject({ code: 'session-ended' });
    await expect(tablet.client.call('endSession', { params: { id: other?.id ?? '' } })).rejects.toMatchObject(
      { code: 'not-found' },
    );
    expect((await tablet.client.call('listSessions')).sessions).toHaveLength(1);

    const third = await phone.signInAgain();
    const token = tokenOf(third);
    await tablet.client.call('logoutAll');
    expect(await statusOf(here, '/users/me', token)).toBe(401);
  });

  it('of one device are replaced: a new sign-in closes the sockets of the previous session at both processes (SES-5)', async () => {
    const before = await here.person('greta');
    const token = tokenOf(before);
    const sockets = [await open(here, token), await open(there, token)];
    const again = await here.person('greta');
    for (const socket of sockets) {
      expect(await socket.next('sessionEnded')).toEqual({ reason: 'logout' });
      expect(await socket.next('disconnect')).toBe('io server disconnect');
    }
    expect((await again.client.call('listSessions')).sessions).toMatchObject([{ current: true }]);
    expect(await statusOf(here, '/users/me', token)).toBe(401);
  });

  it('of another account cannot be ended: 404, as for an unknown session', async () => {
    const [bob, mallory] = [await here.person('bob'), await here.person('mallory')];
    const [own] = (await bob.client.call('listSessions')).sessions;
    for (const unknown of [own?.id ?? '', 'no-such-session'])
      await expect(mallory.client.call('endSession', { params: { id: unknown } })).rejects.toMatchObject({
        status: 404,
        code: 'not-found',
      });
    expect(await bob.client.call('getMe')).toMatchObject({ id: bob.userId });
  });

  it('end at the other process too: sockets within 5 s, calls 5 s later by its clock (SES-6)', async () => {
    const person = await here.person('carla');
    const token = tokenOf(person);
    const socket = await open(there, token);
    expect(await statusOf(there, '/users/me', token)).toBe(200);
    await person.client.signOut();
    expect(await statusOf(here, '/users/me', token)).toBe(401);
    expect(await socket.next('sessionEnded')).toEqual({ reason: 'logout' });
    expect(await socket.next('disconnect')).toBe('io server disconnect');
    expect(await statusOf(there, '/users/me', token)).toBe(401);
  });

  it('that have ended cannot end others, even at a process that has cached them as live (SES-6)', async () => {
    const phone = await here.person('dave');
    const tablet = await phone.signInAgain();
    const token = tokenOf(phone);
    expect(await statusOf(there, '/users/me', token)).toBe(200);
    const other = (await tablet.client.call('listSessions')).sessions.find(({ current }) => current);
    await phone.client.signOut();
    for (const [method, path] of [
      ['DELETE', `/auth/sessions/${other?.id ?? ''}`],
      ['POST', '/auth/logout-all'],
    ] as const) {
      const headers = { authorization: `Bearer ${token}` };
      expect((await fetch(`${there.url}${path}`, { method, headers })).status).toBe(401);
    }
    expect(await statusOf(here, '/users/me', tokenOf(tablet))).toBe(200);
  });

  it('notify a socket before its token expires, accept a new one, and end with the last (WS-2)', async () => {
    const person = await here.person('dora');
    const token = tokenOf(person);
    const socket = await open(here, token);
    here.clock.advance(14 * minute);
    expect(await socket.next('tokenExpiring')).toEqual({ expiresInSeconds: 60 });
    const { accessToken } = await person.client.refresh();
    expect(await socket.call('authenticate', { token: accessToken })).toEqual({ expiresIn: 900 });
    here.clock.advance(2 * minute);
    expect(await socket.call('puff', {})).toMatchObject({ status: 'created' });
    here.clock.advance(13 * minute);
    expect(await socket.next('sessionEnded')).toEqual({ reason: 'expired' });
    expect(await socket.next('disconnect')).toBe('io server disconnect');
  });

  it('renew the token of an SDK socket automatically', async () => {
    const person = await here.person('emil');
    const socket = await person.connect();
    here.clock.advance(14 * minute);
    await socket.next('tokenExpiring');
    here.clock.advance(2 * minute);
    expect(await socket.puff()).toMatchObject({ status: 'created' });
    expect(socket.received('sessionEnded')).toEqual([]);
    socket.close();
  });

  it.each<[string, (own: Person) => Promise<string>]>([
    ['another person', async () => tokenOf(await here.person('eve'))],
    ['another session of the same person', async (own) => tokenOf(await own.signInAgain())],
    ['no session', () => Promise.resolve('rubbish')],
  ])('close a socket that sends a token of %s', async (_whose, tokenFor) => {
    const person = await here.person('frank');
    const socket = await open(here, tokenOf(person));
    const answer = await socket.call('authenticate', { token: await tokenFor(person) });
    expect(answer.error).toMatchObject({ status: 401, code: 'invalid-token' });
    expect(await socket.next('disconnect')).toBe('io server disconnect');
  });
});
