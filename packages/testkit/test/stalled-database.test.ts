// @not-split: chooses the time limits of one process
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { startTemporaryMongo, type LocalMongo } from '@pufftrack/local-services';
import { targetNames } from '@pufftrack/server';
import { MongoClient } from 'mongodb';
import { createFriendship, eventually, startTestApp, type Person, type TestApp } from '../src/index.ts';
import { closeSockets, eventOf, openSocket, tokenOf } from './bare-sockets.ts';
import { startDatabaseLink, type DatabaseLink } from './database-link.ts';

/** A fault of a reachable database, and its recovery. */
interface Fault {
  readonly name: string;
  begin(): Promise<void>;
  end(): Promise<void>;
}

const timeLimits = { requestMs: 1_000, writesFreshForMs: 3_000, stopMs: 3_000 };

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
}

const call = async (app: TestApp, person: Person, { method, path, body }: Call) => {
  const response = await fetch(`${app.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${tokenOf(person)}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
  };
};

describe('a stalled database (REL-6)', () => {
  let mongo: LocalMongo;
  let admin: MongoClient;
  /** Has the limits of production; prepares data and compares. */
  let patient: TestApp;
  /** The server under test; it reaches the database through the link. */
  let app: TestApp;
  let link: DatabaseLink;

  beforeAll(async () => {
    mongo = await startTemporaryMongo({ inMemory: true });
    admin = await MongoClient.connect(mongo.uri);
    patient = await startTestApp({ mongoUri: mongo.uri, targets: targetNames });
    link = await startDatabaseLink(mongo.uri);
    app = await startTestApp({
      mongoUri: link.uri,
      targets: targetNames,
      world: patient,
      timeLimits,
    });
  });
  afterAll(async () => {
    closeSockets();
    await app.close();
    await patient.close();
    await link.close();
    await admin.close();
    await mongo.stop();
  });

  const stopped: Fault = {
    name: 'its process is stopped',
    begin() {
      process.kill(mongo.pid, 'SIGSTOP');
      return Promise.resolve();
    },
    end() {
      process.kill(mongo.pid, 'SIGCONT');
      return Promise.resolve();
    },
  };
  const locked: Fault = {
    name: 'it accepts no writes',
    async begin() {
      await admin.db('admin').command({ fsync: 1, lock: true });
    },
    async end() {
      await admin.db('admin').command({ fsyncUnlock: 1 });
    },
  };

  const silent: Fault = {
    name: 'the network drops all packets',
    begin() {
      link.stall();
      return Promise.resolve();
    },
    end() {
      link.resume();
      return Promise.resolve();
    },
  };
  const steppedDown: Fault = {
    name: 'it has stepped down',
    async begin() {
      await admin.db('admin').command({ replSetStepDown: 600, force: true });
    },
    async end() {
      await admin.db('admin').command({ replSetFreeze: 0 });
    },
  };

  const statusOf = async (path: string) => (await fetch(`${app.url}${path}`)).status;

  describe.each([locked, stopped, silent, steppedDown])('when $name', (fault) => {
    it('answers each write in time, is not ready, and loses or duplicates nothing afterwards', async () => {
      const alice = await patient.person(`alice ${fault.name}`);
      const bob = await patient.person(`bob ${fault.name}`);
      await createFriendship(alice, bob);
      const old = randomUUID();
      await alice.client.call('recordPuff', { body: { id: old } });
      // The process has in its cache what a call begins with, as one that has run for a while.
      const known: Call = { method: 'POST', path: '/puffs', body: { id: old } };
      await eventually('it is warm', async () => (await call(app, alice, known)).status === 200);
      // A number that the inbox has not reached is answered last, when the socket has all that it needs.
      const socket = openSocket(app, { auth: { token: tokenOf(alice), lastSeq: 1_000_000 } });
      await eventOf(socket, 'resyncRequired');

      await fault.begin();
      const ids = Array.from({ length: 20 }, () => randomUUID());
      const single: Call[] = ids.map((id) => ({ method: 'POST', path: '/puffs', body: { id } }));
      const batchIds = Array.from({ length: 50 }, () => randomUUID());
      const timestamp = new Date(app.clock.now()).toISOString();
      const batch = {
        method: 'POST',
        path: '/puffs/batch',
        body: { puffs: batchIds.map((id) => ({ id, timestamp })) },
      };
      const others: Call[] = [
        { method: 'PATCH', path: `/puffs/${old}`, body: { quantity: 3 } },
        { method: 'PATCH', path: '/users/me', body: { name: 'Alice' } },
        { method: 'PUT', path: '/users/me/goal', body: { mode: 'reduce', dailyLimit: 7 } },
        { method: 'POST', path: '/users/me/check-ins', body: { days: ['2026-10-20'], none: true } },
        { method: 'POST', path: '/friends/request', body: { friendCode: 'AAAAAAAAAA' } },
        { method: 'PATCH', path: `/friends/${bob.userId}`, body: { shareLevel: 'live' } },
        { method: 'PUT', path: '/notifications/read', body: { all: true } },
        { method: 'POST', path: '/auth/apple/nonce' },
      ];
      const event = new Promise<{ error?: { code: string } }>((acked) => {
        socket.emit('puff', { id: randomUUID() }, acked);
      });
      const answers = await Promise.all([...single, batch, ...others].map((one) => call(app, alice, one)));
      expect(answers.map(({ status, body }) => [status, body['code']])).toEqual(
        answers.map(() => [503, 'overloaded']),
      );
      expect(answers.filter(({ retryAfter }) => !Number(retryAfter))).toEqual([]);
      expect((await event).error?.code).toBe('overloaded');
      await eventually('it is not ready', async () => (await statusOf('/health/ready')) === 503);
      expect(await statusOf('/health/live')).toBe(200);

      await fault.end();
      await eventually('it is ready', async () => (await statusOf('/health/ready')) === 200);
      for (const one of [...single, batch, ...others])
        await eventually(`${one.method} ${one.path}`, async () => (await call(app, alice, one)).status < 300);
      for (const one of single) expect((await call(app, alice, one)).body['status']).toBe('duplicate');
      // The puff of the event may have come in or not: its outcome was not known.
      const stats = await alice.client.call('getStats');
      const { puffs } = await alice.client.call('listPuffs', { query: { limit: '500' } });
      expect(stats.totalPuffCount).toBe(puffs.reduce((sum, { quantity }) => sum + quantity, 0));
      const listed = new Set(puffs.map(({ id }) => id));
      expect([old, ...ids, ...batchIds].filter((id) => !listed.has(id))).toEqual([]);
      expect([71, 72]).toContain(listed.size);
      expect(puffs.length).toBe(listed.size);
      await app.jobs.runDue();
      socket.disconnect();
    });
  });

  it('exits after a signal during the stall and keeps acknowledged puffs', async () => {
    const ending = await startTestApp({
      mongoUri: mongo.uri,
      targets: targetNames,
      world: patient,
      scheduledJobs: true,
      timeLimits,
    });
    const carla = await patient.person('carla');
    const id = randomUUID();
    const acknowledged = await call(ending, carla, { method: 'POST', path: '/puffs', body: { id } });
    expect(acknowledged.status).toBe(201);
    await locked.begin();
    const underWay = [randomUUID(), randomUUID()].map((puff) =>
      call(ending, carla, { method: 'POST', path: '/puffs', body: { id: puff } }),
    );
    await eventually('both puffs are queued', async () =>
      /^pufftrack_log_queue_depth 2$/m.test(await (await fetch(`${ending.url}/metrics`)).text()),
    );
    await ending.close();
    expect((await Promise.all(underWay)).map(({ status }) => status)).toEqual([503, 503]);
    await locked.end();
    const { puffs } = await carla.client.call('listPuffs');
    expect(puffs.map((puff) => puff.id)).toContain(id);
  });
});
