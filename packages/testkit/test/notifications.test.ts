import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Notification } from '@pufftrack/contract';
import { io } from 'socket.io-client';
import { createFriendship, startTestApp, type Person, type TestApp, recordEvents } from '../src/index.ts';

const dayMs = 86_400_000;
const name = () => `p-${randomUUID()}`;

/** `asker` asks `asked` for a friendship; answers the request as `asked` sees it. */
const ask = async (asker: Person, asked: Person): Promise<string> => {
  const { friendCode } = await asked.client.call('getMe');
  await asker.client.call('requestFriend', { body: { friendCode } });
  const { received } = await asked.client.call('listFriendRequests');
  return received.find(({ from }) => from.userId === asker.userId)?.id ?? '';
};
const inboxOf = async ({ client }: Person): Promise<Notification[]> =>
  (await client.call('listNotifications', { query: {} })).notifications;

describe('the inbox', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app.close());

  const person = () => app.person(name());

  it('contains a friend request and its acceptance, in the list and over the socket, numbered per user', async () => {
    const [alice, bob] = [await person(), await person()];
    const [atAlice, atBob] = [await alice.connect(), await bob.connect()];
    const requestId = await ask(alice, bob);
    expect(await atBob.next('friendRequest')).toMatchObject({
      seq: 1,
      notification: {
        seq: 1,
        category: 'friend-request',
        data: { kind: 'friend-requested', requestId, userId: alice.userId },
        readAt: null,
      },
    });
    await bob.client.call('acceptFriend', { body: { requestId } });
    const accepted = await atAlice.next('friendAccepted');
    expect(accepted).toMatchObject({ seq: 1, notification: { data: { userId: bob.userId } } });
    expect(await inboxOf(alice)).toEqual([accepted.notification]);
    expect(await inboxOf(bob)).toHaveLength(1);
  });

  it('notifies of a friendship only, if two friend requests cross', async () => {
    const [alice, bob] = [await person(), await person()];
    await ask(alice, bob);
    await ask(bob, alice);
    expect((await inboxOf(alice)).map(({ category }) => category)).toEqual(['friend-accepted']);
    expect((await inboxOf(bob)).map(({ category }) => category)).toEqual(['friend-request']);
  });

  it('receives nothing for a friend request that is not delivered', async () => {
    const [alice, bob] = [await person(), await person()];
    const requestId = await ask(alice, bob);
    await ask(alice, bob);
    await bob.client.call('rejectFriend', { body: { requestId } });
    await ask(alice, bob);
    expect(await inboxOf(bob)).toHaveLength(1);
  });

  it('is listed in pages, newest first, and rejects foreign cursors', async () => {
    const bob = await person();
    for (let times = 0; times < 5; times++) await ask(await person(), bob);
    const first = await bob.client.call('listNotifications', { query: { limit: '2' } });
    const cursor = first.nextCursor ?? '';
    const second = await bob.client.call('listNotifications', { query: { limit: '3', cursor } });
    expect([...first.notifications, ...second.notifications].map(({ seq }) => seq)).toEqual([5, 4, 3, 2, 1]);
    expect(second.nextCursor).toBeNull();
    expect(first.unread).toBe(5);
    for (const bad of ['x', `${cursor}=`]) {
      const foreign = bob.client.call('listNotifications', { query: { cursor: bad } });
      await expect(foreign).rejects.toMatchObject({ code: 'invalid-cursor' });
    }
    const others = (await person()).client.call('listNotifications', { query: { cursor } });
    await expect(others).rejects.toMatchObject({ code: 'invalid-cursor' });
  });

  it('marks only rows of the caller as read, by ids or all', async () => {
    const [bob, carla] = [await person(), await person()];
    for (const someone of [bob, carla])
      for (let times = 0; times < 2; times++) await ask(await person(), someone);
    const [newest] = await inboxOf(bob);
    const [foreign] = await inboxOf(carla);
    await bob.client.call('readNotifications', { body: { ids: [newest?.id ?? '', foreign?.id ?? ''] } });
    expect((await inboxOf(bob)).map(({ readAt }) => readAt !== null)).toEqual([true, false]);
    expect(await carla.client.call('listNotifications', { query: {} })).toMatchObject({ unread: 2 });
    await bob.client.call('readNotifications', { body: { all: true } });
    expect(await bob.client.call('listNotifications', { query: {} })).toMatchObject({ unread: 0 });
    for (const body of [{}, { ids: ['x'], all: true as const }])
      await expect(bob.client.call('readNotifications', { body })).rejects.toMatchObject({ code: 'invalid' });
  });

  it('omits categories that are off, except friend requests and security notifications', async () => {
    const [alice, bob] = [await person(), await person()];
    const preferences = await bob.client.call('putNotificationPreferences', {
      body: { categories: { 'friend-request': 'off' }, quietHours: { from: '22:00', to: '07:00' } },
    });
    expect(preferences).toEqual(await bob.client.call('getNotificationPreferences'));
    expect(preferences).toMatchObject({
      categories: { 'friend-request': 'off', 'friend-accepted': 'push', security: 'push' },
      quietHours: { from: '22:00', to: '07:00' },
      discreet: true,
    });
    expect(await ask(alice, bob)).not.toBe('');
    expect(await inboxOf(bob)).toEqual([]);
    expect(await bob.client.call('putNotificationPreferences', { body: { quietHours: null } })).toMatchObject(
      { categories: { 'friend-request': 'off' }, quietHours: null },
    );
    await expect(
      bob.client.call('putNotificationPreferences', { body: { categories: { security: 'off' } } }),
    ).rejects.toMatchObject({ code: 'invalid' });
  });

  it('notifies of a sign-in on a new device only', async () => {
    const { name } = await person();
    const bob = await app.person(name);
    expect(await inboxOf(bob)).toEqual([]);
    const other = await app.person(name, { deviceId: 'a tablet' });
    expect(await inboxOf(other)).toMatchObject([
      { category: 'security', data: { kind: 'signed-in', deviceName: 'iPhone' } },
    ]);
    await other.client.signOut();
    await app.person(name, { deviceId: 'a tablet' });
    expect(await inboxOf(bob)).toHaveLength(1);
  });

  it('notifies the other devices of a session that ended because an old refresh token was reused', async () => {
    const bob = await person();
    const other = await bob.signInAgain();
    const atOther = await other.connect();
    const { refreshToken } = await other.client.refresh();
    await other.client.refresh();
    await other.client.refresh();
    await expect(other.client.call('refreshSession', { body: { refreshToken } })).rejects.toMatchObject({
      code: 'refresh-reused',
    });
    expect(await atOther.next('sessionEnded')).toEqual({ reason: 'refresh-reused' });
    expect(await inboxOf(bob)).toMatchObject([
      { category: 'security', data: { kind: 'session-reused' } },
      { category: 'security', data: { kind: 'signed-in' } },
    ]);
  });

  it('is removed after 90 days', async () => {
    const before = await person();
    await ask(await person(), before);
    app.clock.advance(91 * dayMs);
    const bob = await app.person(before.name);
    await app.jobs.run('inbox-retention');
    expect(await inboxOf(bob)).toEqual([]);
    await ask(await person(), bob);
    expect((await inboxOf(bob)).map(({ seq }) => seq)).toEqual([2]);
  });
});

describe('a socket that reconnects (REL-5)', () => {
  let app: TestApp;
  let bob: Person;

  /** Four events: two long ago, two today. */
  beforeAll(async () => {
    app = await startTestApp();
    bob = await app.person(name());
    for (let times = 0; times < 2; times++) await ask(await app.person(name()), bob);
    app.clock.advance(8 * dayMs);
    await bob.client.refresh();
    for (let times = 0; times < 2; times++) await ask(await app.person(name()), bob);
  });
  afterAll(() => app.close());

  it('gets what came after its last number, in order, after `ready`', async () => {
    const socket = recordEvents(bob.client.connect({ lastSeq: 2 }));
    expect(await socket.next('ready')).toMatchObject({ seq: 4 });
    await socket.next('friendRequest', { where: ({ seq }) => seq === 4 });
    expect(socket.received('friendRequest').map(({ seq }) => seq)).toEqual([3, 4]);
    expect(socket.lastSeq).toBe(4);
  });

  it('receives no replay without lastSeq', async () => {
    const socket = await bob.connect();
    await app.drain();
    await ask(await app.person(name()), bob);
    expect(await socket.next('friendRequest')).toMatchObject({ seq: 5 });
  });

  it.each([
    ['of 8 days ago', 1],
    ['of the future', 99],
    ['that is none', -1],
  ])('has to read the list if its lastSeq is %s', async (_which, lastSeq) => {
    const socket = recordEvents(bob.client.connect({ lastSeq }));
    const { seq } = await socket.next('resyncRequired');
    expect(await socket.next('ready')).toMatchObject({ seq });
    expect(socket.lastSeq).toBe(seq);
    await ask(await app.person(name()), bob);
    expect(await socket.next('friendRequest')).toMatchObject({ seq: seq + 1 });
  });

  it('has to read the list if its lastSeq is not a number', async () => {
    const socket = io(app.url, {
      auth: { token: bob.client.accessToken(), lastSeq: { $gt: 0 } },
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
    });
    const resync = await new Promise<unknown>((resolve) => socket.once('resyncRequired', resolve));
    socket.disconnect();
    expect(resync).toEqual({ seq: expect.any(Number) });
  });

  it('receives rows that another process appended', async () => {
    const { clock, apple, mongoUri } = app;
    const other = await startTestApp({ mongoUri, world: { clock, apple } });
    const socket = await bob.connect();
    await createFriendship(await other.person(name()), await other.person(name()));
    const asker = await other.person(name());
    await asker.client.call('requestFriend', {
      body: { friendCode: (await bob.client.call('getMe')).friendCode },
    });
    expect(await socket.next('friendRequest')).toMatchObject({
      notification: { data: { userId: asker.userId } },
    });
    await other.close();
  });
});
