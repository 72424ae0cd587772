import { randomUUID } from 'node:crypto';
import { cpus } from 'node:os';
import { startServerProcess, type ServerProcess } from '@pufftrack/testkit';
import { MongoClient } from 'mongodb';
import { buildProgram, serverProgram } from './built.ts';
import { httpWire, runLoad, socketWire, type Wire } from './load.ts';
import { signInPeople, tokenOf } from './people.ts';
import { cpuMicroseconds } from './processes.ts';
import { median, percentile, spread, table } from './report.ts';
import { openWorld } from './world.ts';

const connections = 100;
const rounds = 5;
const secondsEach = 3;
const warmUpSeconds = 2;

interface Variant {
  readonly name: string;
  readonly server: ServerProcess | undefined;
  readonly connections: number;
  readonly open: (index: number) => Promise<Wire>;
}

interface Sample {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly serverUs: number;
  readonly databaseUs: number;
}

/** What recording a puff costs, beside what it is measured against; all in turns within one run. */
export const benchRecord = async (print: (line: string) => void): Promise<void> => {
  const world = await openWorld(print);
  const { mongo, apple, env } = world;
  const program = await startServerProcess(env, serverProgram);
  try {
    const people = await signInPeople(program.port, apple, connections);
    const tokens = people.map(tokenOf);
    const sample = await people[0]?.call('recordPuff', { body: { id: randomUUID() } });
    const others = await startServerProcess(
      { ...env, SAMPLE: JSON.stringify(sample) },
      await buildProgram('variants-server'),
    );
    const raw = await MongoClient.connect(mongo.uri, { writeConcern: { w: 'majority', journal: true } });
    try {
      const variants = variantsOf(program, others, tokens, raw);
      print(`${cpus().length} cores of ${cpus()[0]?.model ?? '?'}, Node.js ${process.version}`);
      print(
        `${connections} connections where not said otherwise; ${rounds} rounds of ${secondsEach} s in turns\n`,
      );
      print(report(await measure(variants, mongo.pid)));
    } finally {
      await raw.close();
      await others.stop();
    }
  } finally {
    await program.stop();
    await world.close();
  }
};

const variantsOf = (
  program: ServerProcess,
  others: ServerProcess,
  tokens: readonly string[],
  raw: MongoClient,
): Variant[] => {
  const body = () => ({ id: randomUUID(), timeZone: 'Europe/Berlin', quantity: 1 });
  /** Each connection walks through the people, so that none comes near a day's limit. */
  const http =
    (server: ServerProcess, path: string) =>
    (index: number): Promise<Wire> => {
      let turn = index;
      const request = () => ({
        path,
        token: tokens[turn++ % tokens.length] ?? '',
        body: JSON.stringify(body()),
      });
      return Promise.resolve(httpWire(server.port, request, 201));
    };
  const socket = (server: ServerProcess) => (index: number) =>
    socketWire(server.port, tokens[index % tokens.length] ?? '', body);
  const lone = raw.db().collection('bench_lone');
  const loneInsert = (): Promise<Wire> =>
    Promise.resolve({
      async send() {
        await lone.insertOne({ ...body(), person: 'lone', timestamp: new Date() });
      },
      close: () => undefined,
    });
  return [
    { name: 'POST /puffs', server: program, connections, open: http(program, '/puffs') },
    { name: 'socket puff', server: program, connections, open: socket(program) },
    { name: 'POST /puffs through Express', server: program, connections, open: http(program, '/puffs?') },
    { name: '(b) no database, lean', server: others, connections, open: http(others, '/puffs') },
    { name: '(b) no database, Express', server: others, connections, open: http(others, '/puffs?') },
    { name: '(c) Express + create()', server: others, connections, open: http(others, '/mongoose') },
    { name: '(d) transaction per puff', server: others, connections, open: http(others, '/transaction') },
    { name: '(e) bare Socket.IO ack', server: others, connections, open: socket(others) },
    { name: 'POST /puffs, one alone', server: program, connections: 1, open: http(program, '/puffs') },
    { name: 'driver insert, one alone', server: undefined, connections: 1, open: loneInsert },
  ];
};

const measure = async (variants: readonly Variant[], mongoPid: number): Promise<Map<string, Sample[]>> => {
  const samples = new Map<string, Sample[]>(variants.map(({ name }) => [name, []]));
  const run = async (variant: Variant, seconds: number): Promise<Sample> => {
    const wires = await Promise.all(
      Array.from({ length: variant.connections }, async (_, at) => variant.open(at)),
    );
    const cpu = () =>
      [variant.server ? cpuMicroseconds(variant.server.pid) : 0, cpuMicroseconds(mongoPid)] as const;
    const [serverBefore, databaseBefore] = cpu();
    const { operations, seconds: took, latencies } = await runLoad(wires, seconds);
    const [serverAfter, databaseAfter] = cpu();
    for (const wire of wires) wire.close();
    return {
      perSecond: operations / took,
      p50: percentile(latencies, 0.5),
      p99: percentile(latencies, 0.99),
      serverUs: (serverAfter - serverBefore) / operations,
      databaseUs: (databaseAfter - databaseBefore) / operations,
    };
  };
  for (const variant of variants) await run(variant, warmUpSeconds);
  for (let round = 0; round < rounds; round++)
    for (const variant of variants) samples.get(variant.name)?.push(await run(variant, secondsEach));
  return samples;
};

const report = (samples: ReadonlyMap<string, readonly Sample[]>): string => {
  const all = (name: string, pick: (sample: Sample) => number) => (samples.get(name) ?? []).map(pick);
  const rate = (name: string) => median(all(name, (sample) => sample.perSecond));
  const rows = [...samples.keys()].map((name) => {
    const column = (pick: (sample: Sample) => number, digits: number) => spread(all(name, pick), digits);
    return [
      name,
      column((sample) => sample.perSecond, 0),
      column((sample) => sample.p50, 2),
      column((sample) => sample.p99, 1),
      column((sample) => sample.serverUs, 0),
      column((sample) => sample.databaseUs, 0),
    ];
  });
  const cpuOf = (name: string) => median(all(name, (sample) => sample.serverUs + sample.databaseUs));
  const p50Of = (name: string) => median(all(name, (sample) => sample.p50));
  const create = rate('(c) Express + create()');
  return [
    table(['variant', 'per second', 'p50 ms', 'p99 ms', 'CPU us, server', 'CPU us, database'], rows),
    '',
    'median (lowest-highest) of the rounds',
    `POST /puffs against (c): ${(rate('POST /puffs') / create).toFixed(2)} x; CPU ${cpuOf('POST /puffs').toFixed(0)} us`,
    `socket puff against (c): ${(rate('socket puff') / create).toFixed(2)} x; CPU ${cpuOf('socket puff').toFixed(0)} us`,
    `POST /puffs against the same through Express: ${(rate('POST /puffs') / rate('POST /puffs through Express')).toFixed(2)} x`,
    `a puff alone against a driver insert alone, p50: ${(p50Of('POST /puffs, one alone') / p50Of('driver insert, one alone')).toFixed(2)} x`,
  ].join('\n');
};
