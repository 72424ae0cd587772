import { randomUUID } from 'node:crypto';
import { cpus } from 'node:os';
import type { Client } from '@pufftrack/client';
import { startRedis } from '@pufftrack/local-services';
import { startServerProcess, type ServerProcess } from '@pufftrack/testkit';
import { buildProgram, serverProgram } from './built.ts';
import { bareListener, listen, type Listener } from './listener.ts';
import { socketWire, type Wire } from './load.ts';
import { signInPeople, tokenOf } from './people.ts';
import { cpuMicroseconds } from './processes.ts';
import { median, spread, table } from './report.ts';
import { openWorld } from './world.ts';

const rounds = 5;
/** Of each round, before the first one. */
const warmUpShare = 0.2;
/** One person's puffs that are under way at a time. */
const underWay = 4;
const deliveredWithinMs = 60_000;

/**
 * A person has 200 friends at most, and each of them at most five sockets. All rounds together stay below the puffs that
 * one local day may hold.
 */
const audiences = [
  { friends: 10, socketsEach: 1, puffs: 400 },
  { friends: 100, socketsEach: 1, puffs: 400 },
  { friends: 200, socketsEach: 5, puffs: 100 },
] as const;

type Servers = readonly [ServerProcess, ...ServerProcess[]];

interface Variant {
  readonly listeners: number;
  readonly servers: readonly ServerProcess[];
  readonly wires: readonly Wire[];
  /** Events that have arrived, over all listeners. */
  readonly arrived: () => number;
  readonly close: () => void;
}

interface Sample {
  readonly perSecond: number;
  readonly cpuUs: number;
}

/** What it costs to tell one person's friends of a puff, beside a bare room emit of Socket.IO; in turns within one run. */
export const benchFanout = async (print: (line: string) => void): Promise<void> => {
  const world = await openWorld(print);
  const { apple, env } = world;
  const redis = await startRedis();
  const servers: ServerProcess[] = [];
  const startOne = async (program: string, more: Record<string, string> = {}) => {
    const server = await startServerProcess({ ...env, ...more }, program);
    servers.push(server);
    return server;
  };
  try {
    const single = [await startOne(serverProgram)] as const;
    const people = await signInPeople(single[0].port, apple, audiences.length + 200);
    const sharers = people.slice(0, audiences.length);
    const friends = people.slice(audiences.length);
    for (const [index, { friends: count }] of audiences.entries())
      for (const friend of friends.slice(0, count)) await befriend(friend, sharers[index] as Client);
    const sample = await sharers[0]?.call('recordPuff', { body: { id: randomUUID() } });
    const SAMPLE = JSON.stringify(sample);
    const bareProgram = await buildProgram('variants-server');
    const bare = [await startOne(bareProgram, { SAMPLE })] as const;

    print(`${cpus().length} cores of ${cpus()[0]?.model ?? '?'}, Node.js ${process.version}`);
    print(
      `100 to 400 puffs of one person, ${underWay} under way at a time; ${rounds} rounds in turns, median (lowest-highest)\n`,
    );
    const rows: string[][] = [];
    const compare = async (programs: Servers, bares: Servers) => {
      for (const [index, { friends: count, socketsEach, puffs }] of audiences.entries()) {
        const sharer = tokenOf(sharers[index] as Client);
        const tokens = friends
          .slice(0, count)
          .flatMap((friend) => new Array<string>(socketsEach).fill(tokenOf(friend)));
        const variants = [
          await openVariant({
            servers: programs,
            tokens,
            wire: () => socketWire(programs[0].port, sharer, puff),
          }),
          await openVariant({
            servers: bares,
            tokens: tokens.map(() => bareListener),
            wire: () => socketWire(bares[0].port, 'sender', event, 'fan'),
          }),
        ] as const;
        const samples = await measure(variants, puffs);
        for (const variant of variants) variant.close();
        rows.push(rowOf(`${tokens.length} in ${programs.length === 1 ? 'one process' : 'two'}`, samples));
      }
    };
    await compare(single, bare);
    for (const server of servers.splice(0)) await server.stop();
    const shared = { REDIS_URL: redis.url };
    await compare(
      [await startOne(serverProgram, shared), await startOne(serverProgram, shared)],
      [
        await startOne(bareProgram, { ...shared, SAMPLE }),
        await startOne(bareProgram, { ...shared, SAMPLE }),
      ],
    );
    print(
      table(['sockets', 'deliveries/s', 'bare emit', 'ratio', 'CPU us each', 'CPU us each, bare emit'], rows),
    );
  } finally {
    for (const server of servers) await server.stop();
    await redis.stop();
    await world.close();
  }
};

const puff = () => ({ id: randomUUID() });
const event = () => ({
  friendId: 'f'.repeat(26),
  friendName: 'Somebody',
  count: 1,
  todayCount: 17,
  dailyLimit: null,
});

const befriend = async (friend: Client, sharer: Client): Promise<void> => {
  const { friendCode } = await sharer.call('getMe');
  await friend.call('requestFriend', { body: { friendCode } });
  const { received } = await sharer.call('listFriendRequests');
  for (const { id } of received) await sharer.call('acceptFriend', { body: { requestId: id } });
};

/** Its listeners are spread over its servers; puffs go to the first one. */
const openVariant = async (options: {
  servers: readonly ServerProcess[];
  tokens: readonly string[];
  wire: () => Promise<Wire>;
}): Promise<Variant> => {
  const { servers, tokens } = options;
  let arrived = 0;
  const listeners: Listener[] = [];
  for (const [index, token] of tokens.entries()) {
    const port = servers[index % servers.length]?.port ?? NaN;
    listeners.push(await listen({ port, token, event: 'friendPuff', onEvent: () => (arrived += 1) }));
  }
  const wires = await Promise.all(Array.from({ length: underWay }, options.wire));
  return {
    listeners: tokens.length,
    servers,
    wires,
    arrived: () => arrived,
    close() {
      for (const open of [...listeners, ...wires]) open.close();
    },
  };
};

/** Sends so many, and waits until every listener has been told of each. */
const run = async (variant: Variant, count: number): Promise<Sample> => {
  const { wires, servers, arrived } = variant;
  const cpu = () => servers.reduce((sum, { pid }) => sum + cpuMicroseconds(pid), 0);
  const expected = arrived() + count * variant.listeners;
  const [startedAt, cpuBefore] = [performance.now(), cpu()];
  let left = count;
  await Promise.all(
    wires.map(async (wire) => {
      while (left-- > 0) await wire.send();
    }),
  );
  while (arrived() < expected) {
    if (performance.now() - startedAt > deliveredWithinMs)
      throw new Error(`${expected - arrived()} deliveries are missing`);
    await new Promise(setImmediate);
  }
  const deliveries = count * variant.listeners;
  return {
    perSecond: deliveries / ((performance.now() - startedAt) / 1_000),
    cpuUs: (cpu() - cpuBefore) / deliveries,
  };
};

const measure = async (
  variants: readonly [Variant, Variant],
  puffs: number,
): Promise<[Sample[], Sample[]]> => {
  const samples: [Sample[], Sample[]] = [[], []];
  for (const variant of variants) await run(variant, puffs * warmUpShare);
  for (let round = 0; round < rounds; round++)
    for (const [index, variant] of variants.entries()) samples[index]?.push(await run(variant, puffs));
  return samples;
};

const rowOf = (sockets: string, [program, bare]: [Sample[], Sample[]]): string[] => {
  const rates = (samples: readonly Sample[]) => samples.map(({ perSecond }) => perSecond);
  const costs = (samples: readonly Sample[]) => samples.map(({ cpuUs }) => cpuUs);
  return [
    sockets,
    spread(rates(program), 0),
    spread(rates(bare), 0),
    (median(rates(program)) / median(rates(bare))).toFixed(2),
    spread(costs(program), 1),
    spread(costs(bare), 1),
  ];
};
