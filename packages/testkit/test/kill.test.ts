// @not-split: kills and restarts processes of its own
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startAppleSimulator, type AppleSimulator } from '@pufftrack/apple-simulator';
import { ApiError, type Client } from '@pufftrack/client';
import { temporaryDataDir } from '@pufftrack/local-services';
import { allPuffs } from '../src/demo/recount.ts';
import {
  eventually,
  patienceMs,
  signInPerson,
  startServerProcess,
  testClientId,
  type ServerProcess,
} from '../src/index.ts';

const now = () => Date.now();
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Everything that one person's phones sent and received. */
class Sender {
  readonly sent = new Map<string, number>();
  readonly created = new Map<string, number>();
  readonly client: Client;
  #index = 0;
  constructor(client: Client) {
    this.client = client;
  }

  /** Sends the next puff, alone or in a batch with older ones, until it is acknowledged. */
  async sendOne(clients: readonly Client[]): Promise<void> {
    const index = this.#index++;
    const id = randomUUID();
    this.sent.set(id, 1 + (index % 3));
    const older = [...this.sent.keys()].slice(-8);
    const puffOf = (puffId: string) => ({
      id: puffId,
      timestamp: new Date(now() - 3_600_000).toISOString(),
      quantity: this.sent.get(puffId) ?? 1,
    });
    const deadline = now() + patienceMs;
    for (let attempt = 0; ; attempt++) {
      const client = clients[(index + attempt) % clients.length] ?? this.client;
      try {
        if (index % 5 === 4) {
          const { results } = await client.call('recordPuffBatch', { body: { puffs: older.map(puffOf) } });
          for (const result of results) {
            if (result.status === 'rejected') throw new Error(`rejected: ${JSON.stringify(result)}`);
            if (result.status === 'created') this.#countCreated(result.id ?? '');
          }
        } else {
          const { status } = await client.call('recordPuff', { body: puffOf(id) });
          if (status === 'created') this.#countCreated(id);
        }
        return;
      } catch (error) {
        const temporary = error instanceof ApiError && (error.code === 'network' || error.status === 503);
        if (!temporary || now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  #countCreated(id: string) {
    this.created.set(id, (this.created.get(id) ?? 0) + 1);
  }
}

/** No acknowledged puff is lost, none is counted twice, and the counts are those of the raw records. */
const expectAllCounted = async ({ sent, created }: Sender, client: Client): Promise<void> => {
  const stored = await allPuffs(client);
  expect(new Set(stored.map(({ id }) => id))).toEqual(new Set(sent.keys()));
  expect(stored).toHaveLength(sent.size);
  expect([...created.values()].filter((times) => times > 1)).toEqual([]);
  const total = [...sent.values()].reduce((sum, quantity) => sum + quantity, 0);
  expect(await client.call('getStats')).toMatchObject({ totalPuffCount: total });
};

describe('kill -9 during a stream of puffs', () => {
  let apple: AppleSimulator;
  let dataDir: string;
  let servers: ServerProcess[];
  let env: Record<string, string>;

  beforeEach(async () => {
    apple = await startAppleSimulator({ now });
    dataDir = await temporaryDataDir();
    servers = [];
    env = {
      PORT: '0',
      PUBLIC_URL: 'http://pufftrack.test',
      DATA_DIR: dataDir,
      APPLE_BASE_URL: apple.baseUrl,
      APPLE_CLIENT_IDS: testClientId,
      MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
    };
  });
  afterEach(async () => {
    for (const server of servers) await server.stop();
    await apple.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  const start = async (more: Record<string, string> = {}) => {
    const server = await startServerProcess({ ...env, ...more });
    servers.push(server);
    return server;
  };
  const signIn = (server: ServerProcess, name: string, deviceId = 'phone') =>
    signInPerson({ url: server.url, now, apple, clientId: testClientId }, name, { deviceId });
  const sharedDatabase = () => {
    const uri = new URL(process.env['PUFFTRACK_TEST_MONGODB_URI'] ?? '');
    uri.pathname = `/test_${randomBytes(6).toString('hex')}`;
    return uri.href;
  };

  /** Streams puffs of each sender while `disturb` runs, and then 20 more of each. */
  const stream = async (
    senders: readonly Sender[],
    clientsOf: (sender: Sender) => readonly Client[],
    disturb: (flowing: (count: number) => Promise<void>) => Promise<void>,
  ) => {
    let going = true;
    const streams = senders.map(async (sender) => {
      const lines = range(4).map(async () => {
        while (going) await sender.sendOne(clientsOf(sender));
      });
      await Promise.all(lines);
      for (let left = 20; left > 0; left--) await sender.sendOne(clientsOf(sender));
    });
    const flowing = async (count: number) => {
      const target = senders.reduce((sum, { created }) => sum + created.size, 0) + count;
      await eventually(
        'the stream flows',
        () => senders.reduce((sum, { created }) => sum + created.size, 0) >= target,
      );
    };
    try {
      await flowing(60);
      await disturb(flowing);
      await flowing(60);
    } finally {
      going = false;
      await Promise.all(streams);
    }
  };

  it('of the server alone loses no acknowledged puff and counts none twice', async () => {
    env['MONGODB_URI'] = sharedDatabase();
    let server = await start();
    env['PORT'] = String(server.port);
    const senders = await Promise.all(
      ['alice', 'bob', 'carla'].map(async (name) => new Sender((await signIn(server, name)).client)),
    );
    await stream(
      senders,
      ({ client }) => [client],
      async (flowing) => {
        for (let times = 0; times < 2; times++) {
          await server.kill();
          server = await start();
          await flowing(20);
        }
      },
    );
    for (const sender of senders) await expectAllCounted(sender, sender.client);
  });

  it('of the server and its database, which restart at once, loses no acknowledged puff', async () => {
    let server = await start();
    env['PORT'] = String(server.port);
    const sender = new Sender((await signIn(server, 'alice')).client);
    await stream(
      [sender],
      () => [sender.client],
      async () => {
        const { pid } = JSON.parse(await readFile(join(dataDir, 'mongod.json'), 'utf8')) as { pid: number };
        process.kill(pid, 'SIGKILL');
        await server.kill();
        server = await start();
      },
    );
    await expectAllCounted(sender, sender.client);
  });

  it('of one of two servers that record for the same users loses no acknowledged puff', async () => {
    env['MONGODB_URI'] = sharedDatabase();
    const [left, right] = [await start(), await start()];
    const people = await Promise.all(['alice', 'bob'].map((name) => signIn(left, name)));
    const senders = people.map(({ client }) => new Sender(client));
    const atRight = new Map<Sender, Client>();
    for (const [index, sender] of senders.entries())
      atRight.set(sender, (await signIn(right, ['alice', 'bob'][index] ?? '', 'tablet')).client);
    const clientsOf = (sender: Sender) => [sender.client, atRight.get(sender) ?? sender.client];
    await stream(senders, clientsOf, async () => {
      await right.kill();
      const again = await start({ PORT: String(right.port) });
      expect(again.port).toBe(right.port);
    });
    for (const sender of senders)
      for (const client of clientsOf(sender)) await expectAllCounted(sender, client);
  });
});
