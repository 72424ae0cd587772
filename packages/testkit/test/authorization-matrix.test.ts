import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { clientEvents, endpoints, type EndpointName, type EndpointSpec } from '@pufftrack/contract';
import { io, type Socket } from 'socket.io-client';
import { eventually, createFriendship, startTestApp, type Person, type TestApp } from '../src/index.ts';

const minute = 60_000;

/**
 * Whose thing is asked for, and by whom. `pending` has asked the owner for a friendship and waits, `blocked` was a
 * friend until the owner blocked them.
 */
const withToken = ['owner', 'friend', 'stranger', 'pending', 'blocked'] as const;
type Caller = (typeof withToken)[number] | 'no token' | 'rubbish' | 'expired' | 'ended' | 'erased';
const withoutToken = ['no token', 'rubbish', 'expired', 'ended', 'erased'] as const;

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
}

const mine = (status = 200): Row['expect'] => Object.fromEntries(withToken.map((caller) => [caller, status]));
/** It is the owner's, and to everybody else as if it were not there. */
const ownersAlone = (status = 200): Row['expect'] => ({ ...mine(404), owner: status });
const publicly = (status = 200): Row['expect'] => ({
  ...mine(status),
  'no token': status,
  rubbish: status,
  expired: status,
  ended: status,
  erased: status,
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

/** A request of the owner to nobody. */
const sentRequest = async ({ owner }: World): Promise<string> => {
  await owner.client.call('requestFriend', { body: { friendCode: 'YYYYYYYYYY' } });
  const { sent } = await owner.client.call('listFriendRequests');
  return sent.at(-1)?.id ?? '';
};
const somebodyNew = async ({ app }: World) => (await app.person(`new-${randomUUID()}`)).userId;
const blockedByOwner = async (world: World) => {
  const userId = await somebodyNew(world);
  await world.owner.client.call('blockPerson', { body: { userId } });
  return userId;
};
const inviteOfSomebody = async ({ app }: World) => {
  const inviter = await app.person(`inviter-${randomUUID()}`);
  return (await inviter.client.call('createInvite')).token;
};

/** A day that the owner was without, and says so. */
const milestone = async ({ owner }: World): Promise<string> => {
  await owner.client.call('checkIn', { body: { days: ['2026-10-20'], none: true } });
  return (await owner.client.call('listMilestones')).mine[0]?.id ?? '';
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
    expect: ownersAlone(204),
  },
  receiveAppleNotification: { target: () => ({ body: { payload: 'x' } }), expect: publicly(400) },
  getJwks: { expect: publicly() },
  getMe: { expect: mine() },
  patchMe: { target: () => ({ body: {} }), expect: mine() },
  putMe: { target: () => ({ body: {} }), expect: mine() },
  rotateFriendCode: { expect: mine() },
  putGhost: { target: () => ({ body: { until: null } }), expect: mine() },
  deleteGhost: { expect: mine(204) },
  // Ends the caller's own account, so nobody of this world may call it; erasure.test.ts does.
  deleteMe: { expect: {} },
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
    expect: ownersAlone(),
  },
  deletePuff: {
    target: async (world) => ({ params: { id: await puff(world) } }),
    expect: ownersAlone(),
  },
  restorePuff: {
    target: async (world) => ({ params: { id: await puff(world) } }),
    expect: ownersAlone(),
  },
  // What is not the caller's is not undone; changes.test.ts looks at the puff afterwards.
  undoPuff: { target: async (world) => ({ body: { id: await puff(world) } }), expect: mine() },
  deleteAllPuffs: { expect: mine() },
  requestFriend: { target: () => ({ body: { friendCode: 'ZZZZZZZZZZ' } }), expect: mine(202) },
  listFriendRequests: { expect: mine() },
  cancelFriendRequest: {
    target: async (world) => ({ params: { id: await sentRequest(world) } }),
    expect: ownersAlone(204),
  },
  acceptFriend: {
    target: async (world) => ({ body: { requestId: await openRequest(world) } }),
    expect: ownersAlone(),
  },
  rejectFriend: {
    target: async (world) => ({ body: { requestId: await openRequest(world) } }),
    expect: ownersAlone(204),
  },
  listFriends: { expect: mine() },
  getLeaderboard: { expect: mine() },
  patchFriend: {
    target: ({ owner }) => ({ params: { userId: owner.userId }, body: { muted: true } }),
    expect: { ...mine(404), friend: 200 },
  },
  removeFriend: {
    target: ({ owner }) => ({ params: { userId: owner.userId } }),
    // The friend is needed by other rows.
    expect: { owner: 404, stranger: 404, pending: 404, blocked: 404 },
  },
  createInvite: { expect: mine(201) },
  acceptInvite: {
    target: async (world) => ({ body: { token: await inviteOfSomebody(world) } }),
    expect: mine(),
  },
  blockPerson: {
    target: async (world) => ({ body: { userId: await somebodyNew(world) } }),
    expect: mine(204),
  },
  listBlocks: { expect: mine() },
  unblockPerson: {
    target: async (world) => ({ params: { userId: await blockedByOwner(world) } }),
    expect: ownersAlone(204),
  },
  reportPerson: {
    target: async (world) => ({ body: { userId: await somebodyNew(world), reason: 'spam' } }),
    expect: mine(202),
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
  listMilestones: { expect: mine() },
  cheerMilestone: {
    target: async (world) => ({ params: { id: await milestone(world) }, body: { kind: 'clap' } }),
    expect: { ...mine(404), friend: 204 },
  },
  removeCheer: {
    target: async (world) => ({ params: { id: await milestone(world) } }),
    expect: { ...mine(404), friend: 204 },
  },
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
  let callers: Record<(typeof withToken)[number], Person>;
  const tokens = new Map<Caller, string>();
  const sockets: Socket[] = [];

  beforeAll(async () => {
    const app = await startTestApp();
    const expiring = await app.person('old');
    app.clock.advance(16 * minute);
    const [owner, friend, stranger, ended, erased] = [
      await app.person('owner'),
      await app.person('friend'),
      await app.person('stranger'),
      await app.person('ended'),
      await app.person('erased'),
    ];
    const [pending, blocked] = [await app.person('pending'), await app.person('blocked')];
    await createFriendship(owner, friend);
    await createFriendship(owner, blocked);
    await owner.client.call('blockPerson', { body: { userId: blocked.userId } });
    const { friendCode } = await owner.client.call('getMe');
    await pending.client.call('requestFriend', { body: { friendCode } });
    callers = { owner, friend, stranger, pending, blocked };
    world = { app, owner };
    for (const [caller, person] of Object.entries({ ...callers, expired: expiring, ended, erased }))
      tokens.set(caller as Caller, person.client.accessToken() ?? '');
    tokens.set('rubbish', 'rubbish');
    await ended.client.signOut();
    await erased.client.call('deleteMe');
  });
  afterAll(async () => {
    for (const socket of sockets) socket.disconnect();
    await world.app.close();
  });

  const answerOf = async (spec: EndpointSpec, target: Target, caller: Caller) => {
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
    return { status: answer.status, text: await answer.text() };
  };

  const cells = Object.entries<EndpointSpec>(endpoints).flatMap(([name, spec]) => {
    const row = matrix[name as EndpointName] as Row | undefined;
    if (!row) return [];
    const refused = Object.fromEntries(withoutToken.map((caller) => [caller, 401]));
    const expected: Row['expect'] = spec.auth === 'user' ? { ...refused, ...row.expect } : row.expect;
    return Object.entries(expected).map(([caller, status]) => [name, caller, status, spec] as const);
  });

  it.each(cells)('%s, %s: %i', async (name, caller, status, spec) => {
    const { target } = matrix[name as EndpointName];
    const named = (await target?.(world)) ?? {};
    const answer = await answerOf(spec, named, caller as Caller);
    expect(answer.status).toBe(status);
    // What makes a phone wipe what it holds (domain.md D2).
    const isRefusedAsErased = caller === 'erased' && spec.auth === 'user';
    expect(answer.text.includes('"account-gone"')).toBe(isRefusedAsErased);
  });

  it('has a row for every endpoint and every event, and no other', () => {
    const withoutRow = Object.keys(endpoints).filter((name) => !(name in matrix));
    expect(withoutRow.map((name) => `add "${name}: { ... }" to "matrix" in this file`)).toEqual([]);
    expect(Object.keys(matrix).sort()).toEqual(Object.keys(endpoints).sort());
    expect(Object.keys(eventMatrix).sort()).toEqual(Object.keys(clientEvents).sort());
  });

  it('says of every endpoint whether it wants a token', () => {
    for (const spec of Object.values<EndpointSpec>(endpoints)) expect(['none', 'user']).toContain(spec.auth);
  });

  it.each(withoutToken)('no socket for %s, so no event', async (caller) => {
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
    // A closed connection carries no event.
    const { engine } = socket.io;
    await eventually('the connection is closed', () => engine.readyState === 'closed');
    expect(socket.connected).toBe(false);
  });

  describe.each(withToken.filter((caller) => caller !== 'owner'))('of the events that %s sends', (caller) => {
    it('undo leaves a puff of the owner where it is', async () => {
      const id = await puff(world);
      const socket = await callers[caller].connect();
      expect(await socket.undo({ id })).toMatchObject({ undonePuff: null });
      socket.close();
      const { puffs } = await world.owner.client.call('listPuffs');
      expect(puffs.map((each) => each.id)).toContain(id);
    });

    it('puff with an id of the owner is one of their own', async () => {
      const id = await puff(world);
      const before = await world.owner.client.call('getStats');
      const socket = await callers[caller].connect();
      expect(await socket.puff({ id, quantity: 9 })).toMatchObject({ status: 'created' });
      socket.close();
      expect(await world.owner.client.call('getStats')).toMatchObject({
        totalPuffCount: before.totalPuffCount,
        revision: before.revision,
      });
    });

    it('authenticate with a token of the owner ends the socket', async () => {
      const socket = io(world.app.url, {
        auth: { token: tokens.get(caller) },
        transports: ['websocket'],
        forceNew: true,
        reconnection: false,
      });
      sockets.push(socket);
      await new Promise<void>((resolve) =>
        socket.once('ready', () => {
          resolve();
        }),
      );
      const ended = new Promise((resolve) => socket.once('disconnect', resolve));
      const answer: unknown = await socket.emitWithAck('authenticate', { token: tokens.get('owner') });
      expect(answer).toMatchObject({ error: { status: 401, code: 'invalid-token' } });
      expect(await ended).toBe('io server disconnect');
    });
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
      return { ...((await answer.json()) as object), requestId: '', instance: '' };
    };
    expect(await bodyOf(requestId)).toEqual(await bodyOf('0'.repeat(26)));
  });
});
