import { expect } from '@jest/globals';
import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { startAppleSimulator } from '@pufftrack/apple-simulator';
import { ApiError, type PuffSocket } from '@pufftrack/client';
import { persistentEvents, type Notification } from '@pufftrack/contract';
import {
  eventually,
  signInPerson,
  startServerProcess,
  testClientId,
  type Person,
  type ServerProcess,
} from '../src/index.ts';

const now = () => Date.now();
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Calls until a server is there to answer; every call here may be made twice. */
const persist = async <T>(call: () => Promise<T>): Promise<T> => {
  const deadline = now() + 120_000;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const isTemporary = error instanceof ApiError && (error.code === 'network' || error.status === 503);
      if (!isTemporary || now() > deadline) throw error;
      await pause(50);
    }
  }
};

/** A phone that keeps what it was sent, through every break of its connection. */
class Phone {
  readonly person: Person;
  readonly log: Notification[] = [];
  #socket: PuffSocket;
  constructor(person: Person) {
    this.person = person;
    this.#socket = this.#open(0);
  }
  #open(lastSeq: number): PuffSocket {
    const socket = this.person.client.connect({ lastSeq });
    for (const event of persistentEvents)
      socket.on(event, ({ notification }) => {
        this.log.push(notification);
      });
    return socket;
  }
  /** As an app that is closed and opened again. */
  restart() {
    const { lastSeq } = this.#socket;
    this.#socket.close();
    this.#socket = this.#open(lastSeq ?? 0);
  }
}

/** Asks and accepts: an event for each of the two. */
const createFriendship = async (one: Person, other: Person) => {
  const { friendCode } = await persist(() => other.client.call('getMe'));
  await persist(() => one.client.call('requestFriend', { body: { friendCode } }));
  const { received } = await persist(() => other.client.call('listFriendRequests'));
  const requestId = received.find(({ from }) => from.userId === one.userId)?.id ?? '';
  await persist(() => other.client.call('acceptFriend', { body: { requestId } }));
};

/**
 * `people` phones, of whom each asks the next `asks` in a circle for a friendship, while two servers are killed in turn and
 * phones are restarted: 2 * people * asks events. Every phone has to end with its inbox, in its order, each row once.
 */
export const expectWholeInboxes = async (size: { people: number; asks: number; kills: number }) => {
  const apple = await startAppleSimulator({ now });
  const uri = new URL(process.env['PUFFTRACK_TEST_MONGODB_URI'] ?? '');
  uri.pathname = `/test_${randomBytes(6).toString('hex')}`;
  const start = (port: number) =>
    startServerProcess({
      PORT: String(port),
      PUBLIC_URL: 'http://pufftrack.test',
      MONGODB_URI: uri.href,
      REDIS_URL: process.env['PUFFTRACK_TEST_REDIS_URL'] ?? '',
      APPLE_BASE_URL: apple.baseUrl,
      APPLE_CLIENT_IDS: testClientId,
      MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
    });
  // The phones hang on both, so that most of what one process tells goes to a phone of the other.
  const servers: [ServerProcess, ServerProcess] = [await start(0), await start(0)];
  const serverOf = (index: number) => (index % 2 === 0 ? 0 : 1);
  const phones: Phone[] = [];
  const ended = new AbortController();
  try {
    for (const index of range(size.people))
      phones.push(
        new Phone(
          await signInPerson(
            { url: servers[serverOf(index)].url, now, apple, clientId: testClientId },
            `p${index}`,
          ),
        ),
      );
    const pairs = range(size.asks).flatMap((step) =>
      phones.map((phone, index) => [phone, phones[(index + step + 1) % size.people]] as const),
    );
    const lines = range(4).map(async () => {
      for (let pair = pairs.shift(); pair; pair = pairs.shift())
        if (pair[1]) await createFriendship(pair[0].person, pair[1].person);
    });
    const restarts = (async () => {
      while (!ended.signal.aborted) {
        phones[randomInt(phones.length)]?.restart();
        await pause(randomInt(20, 120));
      }
    })();
    const kills = (async () => {
      const total = pairs.length;
      for (const kill of range(size.kills)) {
        while (pairs.length > total * (1 - (kill + 1) / (size.kills + 1))) await pause(5);
        const at = serverOf(kill);
        await servers[at].kill();
        servers[at] = await start(servers[at].port);
      }
    })();
    await Promise.all([...lines, kills]);
    ended.abort();
    await restarts;

    await eventually('every phone has its events', () =>
      phones.every(({ log }) => log.length >= 2 * size.asks),
    );
    for (const { person, log } of phones) {
      const { notifications } = await person.client.call('listNotifications', { query: { limit: '500' } });
      expect(log.map(({ seq, id }) => `${seq} ${id}`)).toEqual(
        notifications.reverse().map(({ seq, id }) => `${seq} ${id}`),
      );
      expect(log.map(({ seq }) => seq)).toEqual(range(2 * size.asks).map((index) => index + 1));
    }
  } finally {
    ended.abort();
    for (const { person } of phones) person.client.close();
    for (const server of servers) await server.stop();
    await apple.close();
  }
};
