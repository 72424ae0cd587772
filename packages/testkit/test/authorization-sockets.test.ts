import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { clientEvents } from '@pufftrack/contract';
import { io, type Socket } from 'socket.io-client';
import { eventually } from '../src/index.ts';
import { notSignedIn, puffOfOwner, signedIn } from './authorization-matrix.ts';
import { startAuthorizationWorld, type AuthorizationWorld } from './authorization-world.ts';

describe('authorization of sockets (API-0)', () => {
  let world: AuthorizationWorld;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    world = await startAuthorizationWorld();
  });
  afterAll(async () => {
    for (const socket of sockets) socket.disconnect();
    await world.app.close();
  });

  it.each(notSignedIn)('rejects a socket with %s, so it carries no event', async (caller) => {
    const token = world.tokenOf(caller);
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
        reject(new Error('the socket was accepted'));
      });
    });
    expect(error.data).toMatchObject({ status: 401 });
    // A closed connection carries no event.
    const { engine } = socket.io;
    await eventually('the connection is closed', () => engine.readyState === 'closed');
    expect(socket.connected).toBe(false);
  });

  /** The type requires a line for every client event; a new event needs a test below. */
  const outcomes: Record<keyof typeof clientEvents, string> = {
    undo: 'leaves a puff of the owner unchanged',
    puff: 'with an id of the owner records a puff of the caller',
    authenticate: 'with a token of the owner ends the socket',
  };
  const others = signedIn.filter((caller) => caller !== 'owner');

  it.each(others)(`undo by %s ${outcomes.undo}`, async (caller) => {
    const id = await puffOfOwner(world);
    const socket = await world.callers[caller].connect();
    expect(await socket.undo({ id })).toMatchObject({ undonePuff: null });
    socket.close();
    const { puffs } = await world.owner.client.call('listPuffs');
    expect(puffs.map((each) => each.id)).toContain(id);
  });

  it.each(others)(`puff by %s ${outcomes.puff}`, async (caller) => {
    const id = await puffOfOwner(world);
    const before = await world.owner.client.call('getStats');
    const socket = await world.callers[caller].connect();
    expect(await socket.puff({ id, quantity: 9 })).toMatchObject({ status: 'created' });
    socket.close();
    expect(await world.owner.client.call('getStats')).toMatchObject({
      totalPuffCount: before.totalPuffCount,
      revision: before.revision,
    });
  });

  it.each(others)(`authenticate by %s ${outcomes.authenticate}`, async (caller) => {
    const socket = io(world.app.url, {
      auth: { token: world.tokenOf(caller) },
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
    const answer: unknown = await socket.emitWithAck('authenticate', { token: world.tokenOf('owner') });
    expect(answer).toMatchObject({ error: { status: 401, code: 'invalid-token' } });
    expect(await ended).toBe('io server disconnect');
  });
});
