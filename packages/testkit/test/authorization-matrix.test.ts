import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { clientEvents, endpoints, type EndpointName, type EndpointSpec } from '@pufftrack/contract';
import { io, type Socket } from 'socket.io-client';
import { befriend, startTestApp, type Person, type TestApp } from '../src/index.ts';

const minute = 60_000;

/** Whose thing is asked for, and by whom. Each of them is somebody with a good token, unless said otherwise. */
type Caller = 'owner' | 'friend' | 'stranger' | 'no token' | 'rubbish' | 'expired' | 'ended';
const withoutToken = ['no token', 'rubbish', 'expired', 'ended'] as const;

interface Target {
  /** What of the owner's the call names. */
  params?: Record<string, string>;
  query?: string;
  body?: object;
}
interface Row {
  target?: (world: World) => Target | Promise<Target>;
  /** Status by caller. For an endpoint without a foreign thing in it, everybody is the owner of their own. */
  expect: Partial<Record<Caller, number>>;
}
interface World {
  app: TestApp;
  owner: Person;
  friend: Person;
  stranger: Person;
}

const mine = (status = 200): Row['expect'] => ({ owner: status, friend: status, stranger: status });
const publicly = (status = 200): Row['expect'] => ({
  ...mine(status),
  'no token': status,
  rubbish: status,
  expired: status,
  ended: status,
});

/** Somebody new asks the owner for a friendship: a request that the owner alone may answer. */
const openRequest = async ({ app, owner }: World): Promise<string> => {
  const asker = await app.person(`asker-${randomUUID()}`);
  const { friendCode } = await owner.client.call('getMe');
  await asker.client.call('requestFriend', { body: { friendCode } });
  const { received } = await owner.client.call('listFriendRequests');
  return received.find(({ from }) => from.userId === asker.userId)?.id ?? '';
};
/** A puff of the owner. */
const puff = async ({ owner }: World) => {
  const { puff: recorded } = await owner.client.call('recordPuff', { body: { id: randomUUID() } });
  return recorded?.id ?? '';
};
const session = async ({ owner }: World) => {
  const other = await owner.signInAgain();
  const { sessions } = await other.client.call('listSessions');
  return sessions.find(({ current }) => current)?.id ?? '';
};

const matrix: Record<EndpointName, Row> = {
  createNonce: { expect: publicly() },
  signInWithApple: { target: () => ({ body: { identityToken: 'x', nonce: 'x' } }), expect: publicly(401) },
  refreshSession: { target: () => ({ body: { refreshToken: 'x' } }), expect: publicly(401) },
  logout: { target: () => ({ body: { refreshToken: 'x' } }), expect: publicly(401) },
  // Ends the caller's own sessions, so nobody of this world may call it; sessions.test.ts does.
  logoutAll: { expect: {} },
  listSessions: { expect: mine() },
  endSession: {
    target: async (world) => ({ params: { id: await session(world) } }),
    expect: { owner: 204, friend: 404, stranger: 404 },
  },
  receiveAppleNotification: { target: () => ({ body: { payload: 'x' } }), expect: publicly(400) },
  getJwks: { expect: publicly() },
  getMe: { expect: mine() },
  patchMe: { target: () => ({ body: {} }), expect: mine() },
  putMe: { target: () => ({ body: {} }), expect: mine() },
  getConsents: { expect: mine() },
  putConsents: {
    target: () => ({ body: { consents: [{ purpose: 'terms', version: 'none', granted: true }] } }),
    expect: mine(422),
  },
  getLegalVersions: { expect: publicly() },
  getStats: { expect: mine() },
  getStatsDays: { target: () => ({ query: 'from=2026-10-01&to=2026-10-21' }), expect: mine() },
  getStatsHours: { expect: mine() },
  getGoal: { expect: mine() },
  putGoal: { target: () => ({ body: { mode: 'track' } }), expect: mine() },
  checkIn: { target: () => ({ body: { days: ['2026-10-20'], none: true } }), expect: mine() },
  recordPuff: { target: () => ({ body: {} }), expect: mine(201) },
  recordPuffBatch: {
    target: () => ({ body: { puffs: [{ id: randomUUID(), timestamp: '2026-10-21T09:00:00Z' }] } }),
    expect: mine(),
  },
  listPuffs: { expect: mine() },
  listPuffChanges: { target: () => ({ query: 'since=0' }), expect: mine() },
  editPuff: {
    target: async (world) => ({ params: { id: await puff(world) }, body: { quantity: 2 } }),
    expect: { owner: 200, friend: 404, stranger: 404 },
  },
  deletePuff: {
    target: async (world) => ({ params: { id: await puff(world) } }),
    expect: { owner: 200, friend: 404, stranger: 404 },
  },
  restorePuff: {
    target: async (world) => ({ params: { id: await puff(world) } }),
    expect: { owner: 200, friend: 404, stranger: 404 },
  },
  // What is not the caller's is not undone; changes.test.ts looks at the puff afterwards.
  undoPuff: { target: async (world) => ({ body: { id: await puff(world) } }), expect: mine() },
  deleteAllPuffs: { expect: mine() },
  requestFriend: { target: () => ({ body: { friendCode: 'ZZZZZZZZZZ' } }), expect: mine(202) },
  listFriendRequests: { expect: mine() },
  acceptFriend: {
    target: async (world) => ({ body: { requestId: await openRequest(world) } }),
    expect: { owner: 200, friend: 404, stranger: 404 },
  },
  rejectFriend: {
    target: async (world) => ({ body: { requestId: await openRequest(world) } }),
    expect: { owner: 204, friend: 404, stranger: 404 },
  },
  listFriends: { expect: mine() },
  getLeaderboard: { expect: mine() },
  patchFriend: {
    target: ({ owner }) => ({ params: { userId: owner.userId }, body: { muted: true } }),
    expect: { owner: 404, friend: 200, stranger: 404 },
  },
  removeFriend: {
    target: ({ owner }) => ({ params: { userId: owner.userId } }),
    expect: { owner: 404, stranger: 404 },
  },
  getNotificationPreferences: { expect: mine() },
  putNotificationPreferences: { target: () => ({ body: {} }), expect: mine() },
  listNotifications: { expect: mine() },
  // Ids of others are passed over; notifications.test.ts looks at the rows afterwards.
  readNotifications: { target: () => ({ body: { ids: ['x'] } }), expect: mine(204) },
  registerDevice: {
    target: () => ({ body: { token: 'aa', environment: 'sandbox', bundleId: 'app.pufftrack.test' } }),
    expect: mine(201),
  },
  removeDevice: { target: () => ({ params: { token: 'bb' } }), expect: mine(204) },
  getConfig: { expect: publicly() },
  healthLive: { expect: publicly() },
  healthReady: { expect: publicly() },
  healthStartup: { expect: publicly() },
};

const eventMatrix: Record<keyof typeof clientEvents, { payload: object }> = {
  puff: { payload: {} },
  undo: { payload: {} },
  authenticate: { payload: { token: 'rubbish' } },
};

describe('the authorization matrix (API-0)', () => {
  let world: World;
  const tokens = new Map<Caller, string>();
  const sockets: Socket[] = [];

  beforeAll(async () => {
    const app = await startTestApp();
    const expiring = await app.person('old');
    app.clock.advance(16 * minute);
    const [owner, friend, stranger, ended] = [
      await app.person('owner'),
      await app.person('friend'),
      await app.person('stranger'),
      await app.person('ended'),
    ];
    await befriend(owner, friend);
    world = { app, owner, friend, stranger };
    for (const [caller, person] of Object.entries({ owner, friend, stranger, expired: expiring, ended }))
      tokens.set(caller as Caller, person.client.accessToken() ?? '');
    tokens.set('rubbish', 'rubbish');
    await ended.client.signOut();
  });
  afterAll(async () => {
    for (const socket of sockets) socket.disconnect();
    await world.app.close();
  });

  const statusOf = async (spec: EndpointSpec, target: Target, caller: Caller) => {
    const token = tokens.get(caller);
    const path = spec.path.replace(/:(\w+)/g, (_match, name: string) => target.params?.[name] ?? 'x');
    const answer = await fetch(`${world.app.url}${path}?${target.query ?? ''}`, {
      method: spec.method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(target.body && { 'content-type': 'application/json' }),
      },
      ...(target.body && { body: JSON.stringify(target.body) }),
    });
    return answer.status;
  };

  const cells = Object.entries<EndpointSpec>(endpoints).flatMap(([name, spec]) => {
    const row = matrix[name as EndpointName] as Row | undefined;
    if (!row) return [[name, 'no row in the matrix', NaN, spec] as const];
    const refused = Object.fromEntries(withoutToken.map((caller) => [caller, 401]));
    const expected: Row['expect'] = spec.auth === 'user' ? { ...refused, ...row.expect } : row.expect;
    return Object.entries(expected).map(([caller, status]) => [name, caller, status, spec] as const);
  });

  it.each(cells)('%s, %s: %i', async (name, caller, status, spec) => {
    const { target } = matrix[name as EndpointName];
    const named = (await target?.(world)) ?? {};
    expect(await statusOf(spec, named, caller as Caller)).toBe(status);
  });

  it('has a row for every endpoint and every event, and no other', () => {
    expect(Object.keys(matrix).sort()).toEqual(Object.keys(endpoints).sort());
    expect(Object.keys(eventMatrix).sort()).toEqual(Object.keys(clientEvents).sort());
  });

  it('says of every endpoint whether it wants a token', () => {
    for (const spec of Object.values<EndpointSpec>(endpoints)) expect(['none', 'user']).toContain(spec.auth);
  });

  it.each(
    withoutToken.flatMap((caller) => Object.keys(eventMatrix).map((event) => [caller, event] as const)),
  )('no socket for %s, so no %s', async (caller, event) => {
    const token = tokens.get(caller);
    const socket = io(world.app.url, {
      auth: token === undefined ? {} : { token },
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
    });
    sockets.push(socket);
    const error = await new Promise<Error & { data?: unknown }>((resolve, reject) => {
      socket.once('connect_error', resolve);
      socket.once('connect', () => {
        reject(new Error('it was let in'));
      });
    });
    expect(error.data).toMatchObject({ status: 401 });
    const { payload } = eventMatrix[event as keyof typeof clientEvents];
    await expect(socket.timeout(200).emitWithAck(event, payload)).rejects.toThrow();
  });

  it('gives an id that is not there the answer of one that is somebody else’s (API-1)', async () => {
    const requestId = await openRequest(world);
    const bodyOf = async (id: string) => {
      const answer = await fetch(`${world.app.url}/friends/accept`, {
        method: 'PUT',
        headers: {
          authorization: `Bearer ${tokens.get('stranger') ?? ''}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ requestId: id }),
      });
      return { ...((await answer.json()) as object), requestId: '' };
    };
    expect(await bodyOf(requestId)).toEqual(await bodyOf('0'.repeat(26)));
  });
});
