import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createClient, memoryPuffStorage, memoryTokenStore } from '@pufftrack/client';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Person } from '../src/person.ts';
import { startTestApp, type TestApp } from '../src/test-app.ts';

/** A TCP proxy that forwards uploads in small pieces, and cuts a connection once it has carried `maxUploadBytes`. */
const startSlowProxy = async (target: string) => {
  const { port } = new URL(target);
  const pieceBytes = 512;
  const link = { maxUploadBytes: Infinity, cuts: 0 };
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect(Number(port), '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    upstream.pipe(client);
    let uploaded = 0;
    const forward = async (chunk: Buffer) => {
      for (let at = 0; at < chunk.length && !client.destroyed; at += pieceBytes) {
        const piece = chunk.subarray(at, at + pieceBytes);
        uploaded += piece.length;
        if (uploaded > link.maxUploadBytes) {
          link.cuts += 1;
          client.destroy();
          return;
        }
        // One turn of the event loop apart: slow enough that a call is many pieces, with no time in it.
        await new Promise((resolve) => setImmediate(resolve));
        upstream.write(piece);
      }
      client.resume();
    };
    client.on('data', (chunk: Buffer) => {
      client.pause();
      void forward(chunk);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    link,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
};

let app: TestApp;
let proxy: Awaited<ReturnType<typeof startSlowProxy>>;

beforeAll(async () => {
  app = await startTestApp();
  proxy = await startSlowProxy(app.url);
});

afterAll(async () => {
  await proxy.close();
  await app.close();
});

/** The phone of a person behind the slow proxy; each call of `start` is a start of its app on the same storage. */
const phoneOf = (person: Person) => {
  const puffs = memoryPuffStorage();
  const now = () => app.clock.now();
  const start = () => {
    const tokens = memoryTokenStore({
      accessToken: person.client.accessToken() ?? '',
      refreshToken: 'unused',
      expiresAt: now() + 600_000,
    });
    return createClient({ baseUrl: proxy.url, now, puffs, tokens }).queue;
  };
  return { puffs, start };
};

const idsOf = async (person: Person) =>
  (await person.client.call('listPuffs', { query: { limit: '500' } })).puffs.map(({ id }) => id).sort();

describe('the offline queue against a server', () => {
  it('uploads 500 puffs over connections that carry 6 KB each', async () => {
    const alice = await app.person('alice');
    const phone = phoneOf(alice);
    const queue = phone.start();
    const ids: string[] = [];
    for (let i = 0; i < 500; i += 1) ids.push((await queue.add()).id);
    proxy.link.maxUploadBytes = 6 * 1024;
    // Connections are kept alive, so that any call may be the one that is cut.
    for (let flushes = 0; flushes < 100 && (await queue.list()).length > 0; flushes += 1) await queue.flush();
    expect(proxy.link.cuts).toBeGreaterThan(0);
    expect(await idsOf(alice)).toEqual(ids.sort());
    expect(await alice.client.call('getStats')).toMatchObject({ totalPuffCount: 500 });
    expect(await phone.puffs.readBatchSize()).toBeLessThan(100);

    proxy.link.maxUploadBytes = Infinity;
    const later = phone.start();
    for (let i = 0; i < 500; i += 1) await later.add();
    expect(await later.flush()).toMatchObject({ created: 500, pending: 0 });
    expect(await phone.puffs.readBatchSize()).toBeGreaterThan(100);
    expect(await alice.client.call('getStats')).toMatchObject({ totalPuffCount: 1000 });
  });

  it('keeps what the server rejects until it is corrected, and deletes what was removed meanwhile', async () => {
    proxy.link.maxUploadBytes = Infinity;
    const bob = await app.person('bob');
    const phone = phoneOf(bob);
    const queue = phone.start();
    const good = await queue.add({ quantity: 2 });
    const removed = await queue.add();
    const late = await queue.add({ timestamp: '2031-01-01T00:00:00Z' });
    const poison = await queue.add({ ['$where' as 'trigger']: '1' });
    const flush = queue.flush();
    await queue.remove([removed.id]);
    expect(await flush).toMatchObject({ pending: 0, stoppedBy: undefined });

    const later = phone.start();
    expect(await later.rejected()).toMatchObject([
      { puff: late, result: { code: 'timestamp-in-future', serverTime: '2026-10-21T10:00:00.000Z' } },
      { puff: { id: poison.id }, result: { code: 'forbidden-key' } },
    ]);
    await later.correct(late.id, { timestamp: '2026-10-21T09:00:00+02:00' });
    await later.discard(poison.id);
    expect(await later.flush()).toMatchObject({ created: 1, pending: 0 });
    expect(await later.rejected()).toEqual([]);
    expect(await idsOf(bob)).toEqual([good.id, late.id].sort());
    expect(await bob.client.call('getStats')).toMatchObject({ totalPuffCount: 3 });
  });

  it('deletes a puff whose creation got no answer, after a restart', async () => {
    const carla = await app.person('carla');
    const phone = phoneOf(carla);
    const queue = phone.start();
    const { id } = await queue.add();
    proxy.link.maxUploadBytes = 0;
    expect(await queue.flush()).toMatchObject({ pending: 1, stoppedBy: { code: 'network' } });
    await phone.start().remove([id]);
    proxy.link.maxUploadBytes = Infinity;
    expect(await phone.start().flush()).toMatchObject({ created: 1, removed: 1, pending: 0 });
    expect(await carla.client.call('getStats')).toMatchObject({ totalPuffCount: 0 });
    expect(await carla.client.call('recordPuff', { body: { id } })).toMatchObject({ status: 'duplicate' });
  });
});
