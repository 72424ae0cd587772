import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { PuffInput } from '@pufftrack/contract';
import {
  createFriendship,
  eventually,
  startTestApp,
  type Person,
  type TestApp,
  type RecordedSocket,
} from '../src/index.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

describe('friendPuffRetracted', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app.close());

  const pair = async () => {
    const [owner, friend] = [await app.person(randomUUID()), await app.person(randomUUID())];
    await createFriendship(owner, friend);
    return { owner, friend, socket: await friend.connect() };
  };
  const record = async ({ client }: Person, input: PuffInput = {}) => {
    const id = randomUUID();
    await client.call('recordPuff', { body: { id, ...input } });
    return { id };
  };
  const remove = ({ client }: Person, params: { id: string }) => client.call('deletePuff', { params });
  const retracted = (socket: RecordedSocket) =>
    socket.received('friendPuffRetracted').map(({ count, todayCount }) => [count, todayCount]);
  /**
   * Waits for the events themselves, because between processes they come over Redis, and an ack does not. An ack comes
   * after everything else that was sent to the socket in its own process.
   */
  const expectRetracted = async (socket: RecordedSocket, expected: readonly number[][]) => {
    await eventually('the retractions arrive', () => retracted(socket).length >= expected.length);
    await socket.undo({ id: randomUUID() });
    expect(retracted(socket)).toEqual(expected);
  };

  it('reaches a friend once, also if the puff is restored and deleted again', async () => {
    const { owner, socket } = await pair();
    await record(owner, { quantity: 2 });
    const params = await record(owner, { quantity: 3 });
    await remove(owner, params);
    await remove(owner, params);
    await expectRetracted(socket, [[3, 2]]);
    await owner.client.call('restorePuff', { params });
    await owner.client.call('editPuff', { params, body: { quantity: 4 } });
    await remove(owner, params);
    await expectRetracted(socket, [[3, 2]]);
    socket.close();
  });

  it('names the count that was shown, not the edited one', async () => {
    const { owner, socket } = await pair();
    const params = await record(owner, { quantity: 3 });
    await owner.client.call('editPuff', { params, body: { quantity: 9, timestamp: '2026-10-20T10:00:00Z' } });
    await remove(owner, params);
    await expectRetracted(socket, [[3, 0]]);
    socket.close();
  });

  it('is not sent for a puff that was received more than 10 minutes after it happened', async () => {
    const { owner, socket } = await pair();
    const timestamp = new Date(app.clock.now() - 11 * minuteMs).toISOString();
    await remove(owner, await record(owner, { timestamp }));
    await expectRetracted(socket, []);
    socket.close();
  });

  it('is not sent for a puff that was shown more than 24 hours before', async () => {
    const { owner, friend } = await pair();
    const [young, old] = [await record(owner), await record(owner)];
    app.clock.advance(24 * hourMs);
    const socket = await friend.connect();
    await remove(owner, young);
    await expectRetracted(socket, [[1, 0]]);
    app.clock.advance(1);
    await remove(owner, old);
    await expectRetracted(socket, [[1, 0]]);
    socket.close();
  });

  it.each<[string, (owner: Person, friend: Person) => Promise<unknown>]>([
    [
      'could see puffs only later',
      async ({ client }, { userId }) => {
        await client.call('patchFriend', { params: { userId }, body: { shareLevel: 'summary' } });
        app.clock.advance(1);
        await client.call('patchFriend', { params: { userId }, body: { shareLevel: 'live' } });
      },
    ],
    [
      'was muted at the time',
      async ({ userId }, { client }) => {
        await client.call('patchFriend', { params: { userId }, body: { muted: true } });
        app.clock.advance(1);
        await client.call('patchFriend', { params: { userId }, body: { muted: false } });
      },
    ],
    [
      'may not see it any more',
      ({ client }, { userId }) =>
        client.call('patchFriend', { params: { userId }, body: { shareLevel: 'summary' } }),
    ],
    ['would see an owner in ghost mode', ({ client }) => client.call('putGhost', { body: { until: null } })],
    [
      'became a friend again',
      async (owner, friend) => {
        await owner.client.call('removeFriend', { params: { userId: friend.userId } });
        app.clock.advance(1);
        await createFriendship(owner, friend);
      },
    ],
  ])('is not sent to a friend who %s, but to other friends', async (_who, change) => {
    const { owner, friend, socket } = await pair();
    const witness = await app.person(randomUUID());
    await createFriendship(owner, witness);
    const atWitness = await witness.connect();
    const params = await record(owner, { quantity: 2 });
    await change(owner, friend);
    const isHidden = (await owner.client.call('getMe')).ghost !== undefined;
    await remove(owner, params);
    await expectRetracted(socket, []);
    await expectRetracted(atWitness, isHidden ? [] : [[2, 0]]);
    for (const open of [socket, atWitness]) open.close();
  });

  it('is not sent for a puff recorded in ghost mode, also after its end', async () => {
    const { owner, socket } = await pair();
    await owner.client.call('putGhost', { body: { until: null } });
    const hidden = await record(owner);
    app.clock.advance(1);
    await owner.client.call('deleteGhost');
    await remove(owner, hidden);
    await expectRetracted(socket, []);
    socket.close();
  });

  it('is one event with the sum if all puffs are deleted', async () => {
    const { owner, socket } = await pair();
    const late = await app.person(randomUUID());
    await record(owner, { quantity: 2 });
    const again = await record(owner, { quantity: 5 });
    await remove(owner, again);
    await owner.client.call('restorePuff', { params: again });
    await record(owner, { quantity: 7, timestamp: new Date(app.clock.now() - hourMs).toISOString() });
    app.clock.advance(1);
    await createFriendship(owner, late);
    const atLate = await late.connect();
    await record(owner, { quantity: 3 });
    await owner.client.call('deleteAllPuffs');
    await owner.client.call('deleteAllPuffs');
    await expectRetracted(socket, [
      [5, 2],
      [5, 0],
    ]);
    await expectRetracted(atLate, [[3, 0]]);
    for (const open of [socket, atLate]) open.close();
  });
});
