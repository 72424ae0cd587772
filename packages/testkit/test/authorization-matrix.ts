import { randomUUID } from 'node:crypto';
import type { EndpointName } from '@pufftrack/contract';
import type { Person, TestApp } from '../src/index.ts';

/**
 * The callers with a valid token. `pending` has sent the owner a friend request that is still open, `blocked` was a friend
 * until the owner blocked them.
 */
export const signedIn = ['owner', 'friend', 'stranger', 'pending', 'blocked'] as const;
/** The callers without one, by the reason. */
export const notSignedIn = [
  'no token',
  'an invalid token',
  'an expired token',
  'an ended session',
  'a deleted account',
] as const;
export type SignedIn = (typeof signedIn)[number];
export type Caller = SignedIn | (typeof notSignedIn)[number];

/** The request that names a resource of the owner. */
export interface Target {
  params?: Record<string, string>;
  query?: string;
  body?: object;
}
export interface Row {
  target?: (world: World) => Target | Promise<Target>;
  /**
   * Status by caller. A caller is the owner of the resources of an endpoint that names none. The test adds 401 for the
   * callers without a valid token where the endpoint requires one.
   */
  expect: Partial<Record<Caller, number>>;
}
export interface World {
  app: TestApp;
  owner: Person;
}

const mine = (status = 200): Row['expect'] => Object.fromEntries(signedIn.map((caller) => [caller, status]));
/** Every other caller gets the answer of an unknown id. */
const ownerOnly = (status = 200): Row['expect'] => ({ ...mine(404), owner: status });
const publicly = (status = 200): Row['expect'] => ({
  ...mine(status),
  ...Object.fromEntries(notSignedIn.map((caller) => [caller, status])),
});

/** A friend request of a new user to the owner. */
export const openRequest = async ({ app, owner }: World): Promise<string> => {
  const sender = await app.person(`sender-${randomUUID()}`);
  const { friendCode } = await owner.client.call('getMe');
  await sender.client.call('requestFriend', { body: { friendCode } });
  const { received } = await owner.client.call('listFriendRequests');
  return received.find(({ from }) => from.userId === sender.userId)?.id ?? '';
};
/** A new puff of the owner. */
export const puffOfOwner = async ({ owner }: World) => {
  const { puff: recorded } = await owner.client.call('recordPuff', { body: { id: randomUUID() } });
  return recorded?.id ?? '';
};
const session = async ({ owner }: World) => {
  const other = await owner.signInAgain();
  const { sessions } = await other.client.call('listSessions');
  return sessions.find(({ current }) => current)?.id ?? '';
};

/** A friend request of the owner with a code that no account has. */
const sentRequest = async ({ owner }: World): Promise<string> => {
  await owner.client.call('requestFriend', { body: { friendCode: 'YYYYYYYYYY' } });
  const { sent } = await owner.client.call('listFriendRequests');
  return sent.at(-1)?.id ?? '';
};
const newUser = async ({ app }: World) => (await app.person(`new-${randomUUID()}`)).userId;
const blockedByOwner = async (world: World) => {
  const userId = await newUser(world);
  await world.owner.client.call('blockPerson', { body: { userId } });
  return userId;
};
const inviteOfNewUser = async ({ app }: World) => {
  const inviter = await app.person(`inviter-${randomUUID()}`);
  return (await inviter.client.call('createInvite')).token;
};

/** A milestone of the owner, by a check-in. */
const milestone = async ({ owner }: World): Promise<string> => {
  await owner.client.call('checkIn', { body: { days: ['2026-10-20'], none: true } });
  return (await owner.client.call('listMilestones')).mine[0]?.id ?? '';
};

/** Who may call each endpoint; the type requires a row for every one. */
export const matrix: Record<EndpointName, Row> = {
  createNonce: { expect: publicly() },
  signInWithApple: { target: () => ({ body: { identityToken: 'x', nonce: 'x' } }), expect: publicly(401) },
  refreshSession: { target: () => ({ body: { refreshToken: 'x' } }), expect: publicly(401) },
  logout: { target: () => ({ body: { refreshToken: 'x' } }), expect: publicly(401) },
  // Would end the sessions that other rows use; sessions.test.ts calls it.
  logoutAll: { expect: {} },
  listSessions: { expect: mine() },
  endSession: {
    target: async (world) => ({ params: { id: await session(world) } }),
    expect: ownerOnly(204),
  },
  receiveAppleNotification: { target: () => ({ body: { payload: 'x' } }), expect: publicly(400) },
  getJwks: { expect: publicly() },
  getMe: { expect: mine() },
  patchMe: { target: () => ({ body: {} }), expect: mine() },
  putMe: { target: () => ({ body: {} }), expect: mine() },
  rotateFriendCode: { expect: mine() },
  putGhost: { target: () => ({ body: { until: null } }), expect: mine() },
  deleteGhost: { expect: mine(204) },
  // Would delete the accounts that other rows use; account-deletion.test.ts calls it.
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
    target: async (world) => ({ params: { id: await puffOfOwner(world) }, body: { quantity: 2 } }),
    expect: ownerOnly(),
  },
  deletePuff: {
    target: async (world) => ({ params: { id: await puffOfOwner(world) } }),
    expect: ownerOnly(),
  },
  restorePuff: {
    target: async (world) => ({ params: { id: await puffOfOwner(world) } }),
    expect: ownerOnly(),
  },
  // A puff of another user is not undone; changes.test.ts reads it afterwards.
  undoPuff: { target: async (world) => ({ body: { id: await puffOfOwner(world) } }), expect: mine() },
  deleteAllPuffs: { expect: mine() },
  requestFriend: { target: () => ({ body: { friendCode: 'ZZZZZZZZZZ' } }), expect: mine(202) },
  listFriendRequests: { expect: mine() },
  cancelFriendRequest: {
    target: async (world) => ({ params: { id: await sentRequest(world) } }),
    expect: ownerOnly(204),
  },
  acceptFriend: {
    target: async (world) => ({ body: { requestId: await openRequest(world) } }),
    expect: ownerOnly(),
  },
  rejectFriend: {
    target: async (world) => ({ body: { requestId: await openRequest(world) } }),
    expect: ownerOnly(204),
  },
  listFriends: { expect: mine() },
  getLeaderboard: { expect: mine() },
  patchFriend: {
    target: ({ owner }) => ({ params: { userId: owner.userId }, body: { muted: true } }),
    expect: { ...mine(404), friend: 200 },
  },
  removeFriend: {
    target: ({ owner }) => ({ params: { userId: owner.userId } }),
    // Other rows use the friend.
    expect: { owner: 404, stranger: 404, pending: 404, blocked: 404 },
  },
  createInvite: { expect: mine(201) },
  acceptInvite: {
    target: async (world) => ({ body: { token: await inviteOfNewUser(world) } }),
    expect: mine(),
  },
  blockPerson: {
    target: async (world) => ({ body: { userId: await newUser(world) } }),
    expect: mine(204),
  },
  listBlocks: { expect: mine() },
  unblockPerson: {
    target: async (world) => ({ params: { userId: await blockedByOwner(world) } }),
    expect: ownerOnly(204),
  },
  reportPerson: {
    target: async (world) => ({ body: { userId: await newUser(world), reason: 'spam' } }),
    expect: mine(202),
  },
  getNotificationPreferences: { expect: mine() },
  putNotificationPreferences: { target: () => ({ body: {} }), expect: mine() },
  listNotifications: { expect: mine() },
  // Ids of other users are ignored; notifications.test.ts reads the rows afterwards.
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
