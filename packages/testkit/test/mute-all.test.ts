import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import {
  createFriendship,
  eventually,
  startTestApp,
  type Person,
  type TestApp,
  type RecordedSocket,
} from '../src/index.ts';

describe('muting all friends', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app.close());

  const muteAll = async ({ client }: Person, on: boolean) =>
    (await client.call('putNotificationPreferences', { body: { muteAll: on } })).muteAll;
  const record = async (from: Person) => {
    const id = randomUUID();
    await from.client.call('recordPuff', { body: { id } });
    return id;
  };
  const received = (socket: RecordedSocket) => [
    socket.received('friendPuff').length,
    socket.received('friendPuffRetracted').length,
  ];
  /**
   * The counts of friendPuff and friendPuffRetracted. Waits for the events themselves, because between processes they come
   * over Redis, and an ack does not. An ack comes after everything else that was sent to the socket in its own process.
   */
  const expectReceived = async (socket: RecordedSocket, expected: readonly [number, number]) => {
    await eventually('the live events arrive', () =>
      received(socket).every((count, index) => count >= (expected[index] ?? 0)),
    );
    await socket.undo({ id: randomUUID() });
    expect(received(socket)).toEqual(expected);
  };

  it('stops live events at once, also on sockets that connect later, until it ends', async () => {
    const [owner, viewer] = [await app.person('owner'), await app.person('viewer')];
    await createFriendship(owner, viewer);
    const early = await viewer.connect();
    const shown = await record(owner);
    await expectReceived(early, [1, 0]);

    expect(await muteAll(viewer, true)).toBe(true);
    const later = await viewer.connect();
    await record(owner);
    await owner.client.call('deletePuff', { params: { id: shown } });
    await expectReceived(early, [1, 0]);
    await expectReceived(later, [0, 0]);

    app.clock.advance(1);
    expect(await muteAll(viewer, false)).toBe(false);
    // What was recorded while all were muted stays unknown; what is recorded from now on is shown, and its end too.
    const between = await record(owner);
    await owner.client.call('deletePuff', { params: { id: between } });
    await expectReceived(early, [2, 1]);
    await expectReceived(later, [1, 1]);
    for (const socket of [early, later]) socket.close();
  });

  it('leaves mutes of single friends, what the account owner shares, and the other preferences', async () => {
    const [one, two, viewer] = [await app.person('one'), await app.person('two'), await app.person('three')];
    for (const friend of [one, two]) await createFriendship(friend, viewer);
    await viewer.client.call('patchFriend', { params: { userId: two.userId }, body: { muted: true } });
    const [socket, atOne] = [await viewer.connect(), await one.connect()];
    await viewer.client.call('putNotificationPreferences', {
      body: { discreet: false, categories: { cheer: 'off' } },
    });
    const before = await viewer.client.call('getNotificationPreferences');
    expect(before).toMatchObject({ muteAll: false, discreet: false });

    await muteAll(viewer, true);
    expect(await viewer.client.call('getNotificationPreferences')).toEqual({ ...before, muteAll: true });
    await viewer.client.call('putNotificationPreferences', { body: { discreet: false } });
    expect(await viewer.client.call('getNotificationPreferences')).toEqual({ ...before, muteAll: true });
    await record(viewer);
    await expectReceived(atOne, [1, 0]);
    const { friends } = await viewer.client.call('listFriends');
    expect(friends.map(({ userId, muted }) => [userId, muted]).sort()).toEqual(
      [
        [one.userId, false],
        [two.userId, true],
      ].sort(),
    );

    await muteAll(viewer, false);
    await record(two);
    await record(one);
    await expectReceived(socket, [1, 0]);
    expect(socket.received('friendPuff').map(({ friendId }) => friendId)).toEqual([one.userId]);
    for (const each of [socket, atOne]) each.close();
  });

  it.each(['yes', 1, {}])('is a boolean, not %j', async (value) => {
    const { client } = await app.person('owner');
    await expect(
      client.call('putNotificationPreferences', { body: { muteAll: value as unknown as boolean } }),
    ).rejects.toMatchObject({ code: 'invalid', problem: { errors: [{ path: 'muteAll' }] } });
  });
});
