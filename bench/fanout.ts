import { randomUUID } from 'node:crypto';
import { cpus } from 'node:os';
import type { Client } from '@pufftrack/client';
import { startRedis } from '@pufftrack/local-services';
import { startServerProcess, type ServerProcess } from '@pufftrack/testkit';
import { buildProgram, serverProgram } from './built.ts';
import { listen, type Listener } from './listener.ts';
import { socketWire, type Wire } from './load.ts';
import { signInPeople, tokenOf } from './people.ts';
import { cpuMicroseconds } from './processes.ts';
import { median, spread, table } from './report.ts';
import { openWorld } from './world.ts';

const rounds = 5;
/** Of each round, before the first one. */
const warmUpShare = 0.2;
/** Calls of the one phone that wait for their answers at a time. */
const underWay = 16;
const deliveredWithinMs = 60_000;

/**
 * A person has 200 friends at most, and each of them at most five sockets. All rounds together stay below the puffs that
 * one local day may hold.
 */
const audiences = [
  { friends: 0, socketsEach: 1, puffs: 400 },
  { friends: 10, socketsEach: 1, puffs: 400 },
  { friends: 100, socketsEach: 1, puffs: 400 },
  { friends: 200, socketsEach: 5, puffs: 200 },
] as const;

/** The phone speaks to the first one; the listeners are spread over all. */
type Servers = readonly [ServerProcess, ...ServerProcess[]];

/** Something that sends an event to many sockets. */
interface Variant {
  readonly listeners: number;
  readonly servers: Servers;
  readonly phone: Wire;
  /** Events that have arrived, over all listeners. */
  readonly arrived: () => number;
  readonly close: () => void;
}

interface Sample {
  /** Deliveries. */
  readonly perSecond: number;
  /** Of the servers, for each puff or emit. */
  readonly cpuUs: number;
}

/** What it costs to tell one person's friends of a puff, beside a bare room emit of Socket.IO; in turns within one run. */
export const benchFanout = async (print: (line: string) => void): Promise<void> => {
  const world = await openWorld(print);
  const redis = await startRedis();
  const shared = { REDIS_URL: redis.url };
  let servers: ServerProcess[] = [];
  const start = async (program: string, more: Record<string, string>) => {
    const server = await startServerProcess({ ...world.env, ...more }, program);
    servers.push(server);
    return server;
  };
  try {
    const first = await start(serverProgram, {});
    const people = await signInPeople(first.port, world.apple, audiences.length + 200);
    const [sharers, friends] = [people.slice(0, audiences.length), people.slice(audiences.length)];
    for (const [index, { friends: count }] of audiences.entries())
      for (const friend of friends.slice(0, count)) await createFriendship(friend, sharers[index] as Client);
    const SAMPLE = JSON.stringify(await sharers[0]?.call('recordPuff', { body: { id: randomUUID() } }));
    const bareProgram = await buildProgram('variants-server');

    print(`${cpus().length} cores of ${cpus()[0]?.model ?? '?'}, Node.js ${process.version}`);
    print(
      `200 to 400 puffs of one phone, ${underWay} under way at a time; ${rounds} rounds in turns, median (lowest-highest)\n`,
    );
    const rows: string[][] = [];
    const compare = async (where: string, programs: Servers, bares: Servers) => {
      for (const [index, { friends: count, socketsEach, puffs }] of audiences.entries()) {
        const sharer = tokenOf(sharers[index] as Client);
        const tokens = friends
          .slice(0, count)
          .flatMap((friend) => new Array<string>(socketsEach).fill(tokenOf(friend)));
        const bare = (event: string) =>
          openVariant({
            servers: bares,
            tokens: tokens.map(() => event),
            phone: () => socketWire(bares[0].port, 'sender', friendPuff, event),
          });
        const variants = [
          () =>
            openVariant({
              servers: programs,
              tokens,
              phone: () => socketWire(programs[0].port, sharer, puff),
            }),
          () => bare('fan'),
          () => bare('createFan'),
        ] as const;
        rows.push(rowOf(`${tokens.length} in ${where}`, await measure(variants, puffs)));
      }
    };
    await compare('one process', [first], [await start(bareProgram, { SAMPLE })]);
    for (const server of servers) await server.stop();
    servers = [];
    await compare(
      'two',
      [await start(serverProgram, shared), await start(serverProgram, shared)],
      [await start(bareProgram, { ...shared, SAMPLE }), await start(bareProgram, { ...shared, SAMPLE })],
    );
    print(table(head, rows));
  } finally {
    for (const server of servers) await server.stop();
    await redis.stop();
    await world.close();
  }
};

const puff = () => ({ id: randomUUID() });
const friendPuff = () => ({
  friendId: 'f'.repeat(26),
  friendName: 'Alice',
  count: 1,
  todayCount: 17,
  dailyLimit: null,
});

const createFriendship = async (friend: Client, sharer: Client): Promise<void> => {
  const { friendCode } = await sharer.call('getMe');
  await friend.call('requestFriend', { body: { friendCode } });
  const { received } = await sharer.call('listFriendRequests');
  for (const { id } of received) await sharer.call('acceptFriend', { body: { requestId: id } });
};

const openVariant = async (options: {
  servers: Servers;
  tokens: readonly string[];
  phone: () => Promise<Wire>;
}): Promise<Variant> => {
  const { servers, tokens } = options;
  let arrived = 0;
  const listeners: Listener[] = [];
  for (const [index, token] of tokens.entries()) {
    const port = servers[index % servers.length]?.port ?? NaN;
    listeners.push(await listen({ port, token, event: 'friendPuff', onEvent: () => (arrived += 1) }));
  }
  const phone = await options.phone();
  return {
    listeners: tokens.length,
    servers,
    phone,
    arrived: () => arrived,
    close() {
      for (const open of [...listeners, phone]) open.close();
    },
  };
};

/** Sends so many, and waits until every listener has received each. */
const run = async ({ phone, servers, arrived, listeners }: Variant, count: number): Promise<Sample> => {
  const cpu = () => servers.reduce((sum, { pid }) => sum + cpuMicroseconds(pid), 0);
  const deliveries = count * listeners;
  const expected = arrived() + deliveries;
  const [startedAt, cpuBefore] = [performance.now(), cpu()];
  let left = count;
  const sendInTurn = async () => {
    while (left-- > 0) await phone.send();
  };
  await Promise.all(Array.from({ length: underWay }, sendInTurn));
  while (arrived() < expected) {
    if (performance.now() - startedAt > deliveredWithinMs)
      throw new Error(`${expected - arrived()} deliveries are missing`);
    await new Promise(setImmediate);
  }
  return {
    perSecond: deliveries / ((performance.now() - startedAt) / 1_000),
    cpuUs: (cpu() - cpuBefore) / count,
  };
};

const measure = async (open: readonly (() => Promise<Variant>)[], puffs: number): Promise<Sample[][]> => {
  const variants = [];
  for (const openOne of open) variants.push(await openOne());
  for (const variant of variants) await run(variant, puffs * warmUpShare);
  const samples: Sample[][] = variants.map(() => []);
  for (let round = 0; round < rounds; round++)
    for (const [index, variant] of variants.entries()) samples[index]?.push(await run(variant, puffs));
  for (const variant of variants) variant.close();
  return samples;
};

const head = [
  'sockets',
  'deliveries/s',
  'bare emit',
  'create() + emit',
  'to bare emit',
  'to create() + emit',
  'CPU us a puff',
  'CPU us a bare emit',
];

const rowOf = (sockets: string, samples: readonly Sample[][]): string[] => {
  const [program = [], bare = [], create = []] = samples.map((some) =>
    some.map(({ perSecond }) => perSecond),
  );
  const [programCpu = [], bareCpu = []] = samples.map((some) => some.map(({ cpuUs }) => cpuUs));
  const ratioTo = (other: readonly number[]) =>
    median(other) === 0 ? '-' : (median(program) / median(other)).toFixed(2);
  return [
    sockets,
    spread(program, 0),
    spread(bare, 0),
    spread(create, 0),
    ratioTo(bare),
    ratioTo(create),
    spread(programCpu, 0),
    spread(bareCpu, 0),
  ];
};
