import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ApiError } from '@pufftrack/client';
import { endpoints, serverEvents, type EndpointSpec, type ServerEventName } from '@pufftrack/contract';
import {
  createFriendship,
  startTestApp,
  type Person,
  type TestApp,
  type RecordedSocket,
} from '../src/index.ts';

/** Read endpoints without a path parameter, and their query parameters. */
const reads = Object.entries<EndpointSpec>(endpoints).filter(
  ([, { method, auth, path }]) => method === 'GET' && auth === 'user' && !path.includes(':'),
);
const queries: Record<string, object> = {
  getStatsDays: { from: '2026-10-01', to: '2026-10-21' },
  listPuffChanges: { since: 0 },
};
const boards = ['reduction', 'underLimitDays', 'puffFreeDays'];

interface World {
  readonly alice: Person;
  readonly bob: Person;
}

/** Replaces ids, codes and instants by the order of their first appearance, so that two runs can be compared. */
const normalised = (value: unknown[], seen: Map<string, string>): unknown[] =>
  JSON.parse(
    JSON.stringify(value).replaceAll(
      /[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9a-z]{26}\b|"[0-9A-HJKMNP-TV-Z]{10}"|"[^"]*-phone"|\d{4}-\d\d-\d\dT[\d:.]+Z|[a-z]+-\d+@example\.com/g,
      (id) => {
        const name = seen.get(id) ?? `#${seen.size}`;
        seen.set(id, name);
        return id.startsWith('"') ? JSON.stringify(name) : name;
      },
    ),
  ) as unknown[];

describe('a blocked user', () => {
  let app: TestApp;
  let worlds: number;

  beforeEach(async () => {
    app = await startTestApp();
    worlds = 0;
  });
  afterEach(() => app.close());

  const person = async (name: string, world: number) => {
    const one = await app.person(`${name.toLowerCase()}-${world}`);
    await one.client.call('patchMe', { body: { name } });
    return one;
  };
  const codeOf = async ({ client }: Person) => (await client.call('getMe')).friendCode;
  const ask = async (from: Person, to: Person) =>
    from.client.call('requestFriend', { body: { friendCode: await codeOf(to) } });
  const sentBy = async ({ client }: Person) => (await client.call('listFriendRequests')).sent;

  const statusOf = async (call: Promise<unknown>) => {
    try {
      await call;
      return 'ok';
    } catch (error) {
      if (error instanceof ApiError) return [error.status, error.code, error.message];
      throw error;
    }
  };

  /** Everything that alice can observe: her reads, the events of a new socket and the responses to her writes. */
  const view = async ({ alice, bob }: World, { code, socket }: { code: string; socket: RecordedSocket }) => {
    const { client } = alice;
    // The ack arrives after every event that was sent to the socket earlier.
    await socket.undo({ id: randomUUID() });
    const read = async (): Promise<unknown[]> => {
      const answers: unknown[] = [];
      for (const [name] of reads)
        answers.push([name, await client.call(name as 'getMe', { query: queries[name] ?? {} } as never)]);
      for (const board of boards)
        answers.push(await client.call('getLeaderboard', { query: { board } } as never));
      return answers;
    };
    const before = await read();
    const again = await alice.connect();
    // The first `ready` of this socket is older than the states that are compared.
    const events = (Object.keys(serverEvents) as ServerEventName[]).filter((event) => event !== 'ready');
    const heard = events.map((event) => [event, socket.received(event)]);
    const ready = again.received('ready');
    again.close();
    const params = { userId: bob.userId };
    // Later than the earlier requests, so that lists have an order.
    app.clock.advance(1_000);
    const writes = [
      await statusOf(client.call('patchFriend', { params, body: { shareLevel: 'none' } })),
      await statusOf(client.call('removeFriend', { params })),
      await statusOf(client.call('requestFriend', { body: { friendCode: code } })),
      await statusOf(client.call('reportPerson', { body: { userId: bob.userId, reason: 'other' } })),
    ];
    socket.close();
    return normalised([before, heard, ready, writes, await read()], new Map());
  };

  /** The same history with another end, in an app of its own. */
  const live = async (begin: (world: World) => Promise<unknown>, end: (world: World) => Promise<unknown>) => {
    const number = ++worlds;
    const world = { alice: await person('Alice', number), bob: await person('Bob', number) };
    const carol = await person('Carol', number);
    await createFriendship(world.alice, carol);
    const code = await codeOf(world.bob);
    await begin(world);
    await app.drain();
    const socket = await world.alice.connect();
    await end(world);
    await app.drain();
    return view(world, { code, socket });
  };

  const block = ({ alice, bob }: World) => bob.client.call('blockPerson', { body: { userId: alice.userId } });
  const remove = ({ alice, bob }: World) =>
    bob.client.call('removeFriend', { params: { userId: alice.userId } });
  const erase = ({ bob }: World) => bob.client.deleteAccount();
  const nothing = () => Promise.resolve();

  /** Friends who have cheered each other's confirmed milestones. */
  const friends = async ({ alice, bob }: World) => {
    await ask(bob, alice);
    const [request] = (await alice.client.call('listFriendRequests')).received;
    await alice.client.call('acceptFriend', { body: { requestId: request?.id ?? '' } });
    for (const { client } of [alice, bob])
      await client.call('checkIn', { body: { days: ['2026-10-19', '2026-10-20'], none: true } });
    for (const { client } of [alice, bob]) await client.call('listMilestones');
    for (const { client } of [alice, bob]) {
      const [milestone] = (await client.call('listMilestones')).friends;
      await client.call('cheerMilestone', { params: { id: milestone?.id ?? '' }, body: { kind: 'clap' } });
      await client.call('recordPuff', { body: {} });
    }
  };

  it('sees the same as after a removal, or after the deletion of the other account', async () => {
    const removed = await live(friends, remove);
    expect(JSON.stringify(removed.at(-1))).toContain('Friend request');
    expect(JSON.stringify(removed.at(-1))).not.toContain('Bob');
    expect(await live(friends, block)).toEqual(removed);
    expect(await live(friends, erase)).toEqual(removed);
  });

  it('sees the same as a sender whose friend request is pending', async () => {
    const begin = ({ alice, bob }: World) => ask(alice, bob);
    const waiting = await live(begin, nothing);
    expect(await live(begin, block)).toEqual(waiting);
    expect(await live(begin, erase)).toEqual(waiting);
    expect(
      await live(begin, async ({ bob }) => {
        const [request] = (await bob.client.call('listFriendRequests')).received;
        await bob.client.call('rejectFriend', { body: { requestId: request?.id ?? '' } });
      }),
    ).toEqual(waiting);
  });

  it('sees the same as a recipient whose friend request was cancelled by its sender', async () => {
    const begin = ({ alice, bob }: World) => ask(bob, alice);
    const cancelled = await live(begin, async ({ bob }) => {
      for (const { id } of await sentBy(bob))
        await bob.client.call('cancelFriendRequest', { params: { id } });
    });
    expect(await live(begin, block)).toEqual(cancelled);
    expect(await live(begin, erase)).toEqual(cancelled);
  });

  it('sees the same as without the block, if they had declined a friend request before', async () => {
    const begin = async ({ alice, bob }: World) => {
      await ask(bob, alice);
      const [request] = (await alice.client.call('listFriendRequests')).received;
      await alice.client.call('rejectFriend', { body: { requestId: request?.id ?? '' } });
    };
    expect(await live(begin, block)).toEqual(await live(begin, nothing));
  });

  it('sees the same name in their own list of blocks before and after a block in return', async () => {
    const begin = async (world: World) => {
      await friends(world);
      await world.alice.client.call('blockPerson', { body: { userId: world.bob.userId } });
    };
    const unaware = await live(begin, nothing);
    expect(JSON.stringify(unaware)).toContain('"name":"Bob"');
    expect(await live(begin, block)).toEqual(unaware);
  });
});
