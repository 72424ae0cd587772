import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { patienceMs } from '@pufftrack/testkit/eventually';
import { createApnsConnection, type ApnsConnection } from './apns-connection.ts';

describe('a connection to a host that never answers', () => {
  const sockets = new Set<Socket>();
  let silent: Server;
  let apns: ApnsConnection;

  beforeEach(async () => {
    sockets.clear();
    silent = createServer((socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => undefined);
      socket.resume();
    });
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    apns = createApnsConnection({ baseUrl: `https://127.0.0.1:${port}`, responseWithinMs: 200 });
  });
  afterEach(() => {
    apns.close();
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  it('is closed when the time limit ends', async () => {
    const connected = once(silent, 'connection') as Promise<[Socket]>;
    await expect(apns.post({ path: '/3/device/aa', headers: {}, body: '{}' })).rejects.toThrow(
      'APNs did not answer in time',
    );
    const [socket] = await connected;
    // Waits for no handshake: that would keep a connection for each attempt, and the process at its end.
    if (!socket.closed) await once(socket, 'close', { signal: AbortSignal.timeout(patienceMs) });
    expect(sockets.size).toBe(0);
  });
});
