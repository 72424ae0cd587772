import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import type { AppSocketServer } from './app-socket.ts';
import { watchLifetimes } from './socket-lifetimes.ts';

let server: AppSocketServer;
let port: number;
const clients: Socket[] = [];

beforeEach(async () => {
  const http = createServer();
  server = new Server(http, { transports: ['websocket'] });
  server.on('connection', (socket) => {
    socket.data.actor = { userId: 'ann', sessionId: socket.id, expiresAt: Infinity };
    void socket.join('all');
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  ({ port } = http.address() as AddressInfo);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  await server.close();
});

const connect = async () => {
  const client = io(`http://127.0.0.1:${port}`, { transports: ['websocket'], reconnection: false });
  clients.push(client);
  await new Promise<void>((resolve) => client.once('connect', resolve));
  return client;
};
/** The phone's network takes in no more. */
const stall = (client: Socket) => {
  const { ws } = client.io.engine.transport as unknown as { ws: { pause: () => void } };
  ws.pause();
};

it.each([
  { what: 'many events in the connection', atOnce: 2_500 },
  { what: 'many events behind a few in the connection', atOnce: 1 },
])('a socket that does not read is closed with $what, and the others get everything', async ({ atOnce }) => {
  const [good, stalled] = [await connect(), await connect()];
  const stalledId = stalled.id;
  let received = 0;
  const hasAll = new Promise<void>((resolve) => {
    good.on('notification', () => {
      received += 1;
      if (received === 2_500) resolve();
    });
  });
  const isClosed = new Promise<string>((resolve) => {
    for (const socket of server.sockets.sockets.values())
      if (socket.id === stalledId) socket.once('disconnect', resolve);
  });
  stall(stalled);
  // More than the kernel keeps for a connection.
  const notification = { text: '.'.repeat(10_000) };
  for (let index = 0; index < 2_500; index += 1) {
    server.to('all').emit('notification', notification as never);
    if (index % atOnce === 0) await new Promise(setImmediate);
  }

  // A client on a busy machine is as slow as a stalled one; it is checked once it has read everything.
  await hasAll;
  const closed: string[] = [];
  const stop = watchLifetimes({
    sockets: () => server.sockets.sockets.values(),
    onStalled: (socket) => void closed.push(socket.id),
    clock: { now: () => 0 },
  });
  try {
    await isClosed;
    expect(closed).toEqual([stalledId]);
    expect([...server.sockets.sockets.keys()]).toEqual([good.id]);
  } finally {
    stop();
  }
});
