import { cpus } from 'node:os';
import { startServerProcess } from '@pufftrack/testkit';
import { serverProgram } from './built.ts';
import { seedLog } from './seed.ts';
import { signInPeople, tokenOf } from './people.ts';
import { median, spread, table } from './report.ts';
import { openWorld } from './world.ts';

const rounds = 3;
const callsEach = 200;
const years = 10;
const sizes = [100, 1_000_000];

/** What reading costs a person with a long history, beside one with a short one over the same years. */
export const benchRead = async (print: (line: string) => void): Promise<void> => {
  const world = await openWorld(print);
  const { mongo, apple, env } = world;
  let server = await startServerProcess(env, serverProgram);
  try {
    const people = await signInPeople(server.port, apple, sizes.length);
    for (const [index, client] of people.entries()) {
      const { id } = await client.call('getMe');
      const started = performance.now();
      await seedLog(mongo.uri, id, sizes[index] ?? 0, years);
      print(`seeded ${sizes[index] ?? 0} puffs in ${((performance.now() - started) / 1_000).toFixed(0)} s`);
    }
    // A process with an empty cache.
    await server.stop();
    server = await startServerProcess(env, serverProgram);
    const { port } = server;
    const tokens = people.map(tokenOf);
    const get = async (path: string, token: string): Promise<number> => {
      const started = performance.now();
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      await answer.arrayBuffer();
      if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`);
      return performance.now() - started;
    };
    const to = new Date().toISOString().slice(0, 10);
    const from = new Date(Date.now() - 399 * 86_400_000).toISOString().slice(0, 10);
    await get('/users/me', tokens[0] ?? '');
    await get('/users/me', tokens[1] ?? '');
    const cold = [];
    for (const token of tokens) cold.push(await get('/users/stats', token));
    const again = [];
    for (const token of tokens) again.push(await get('/users/stats', token));
    const calls = [
      ['GET /users/stats', () => '/users/stats'],
      ['GET /users/stats/days, 400 days', () => `/users/stats/days?from=${from}&to=${to}`],
      ['GET /users/stats/hours, 28 days', () => '/users/stats/hours'],
      ['GET /puffs, a page of 50', () => '/puffs'],
    ] as const;
    const rows = [
      ['GET /users/stats, first of the process', ...cold.map((ms) => ms.toFixed(1)), ratio(cold)],
      ['GET /users/stats, second', ...again.map((ms) => ms.toFixed(1)), ratio(again)],
    ];
    for (const [name, path] of calls) {
      const medians: number[][] = tokens.map(() => []);
      for (let round = 0; round < rounds; round++)
        for (const [index, token] of tokens.entries()) {
          const times = [];
          for (let call = 0; call < callsEach; call++) times.push(await get(path(), token));
          medians[index]?.push(median(times));
        }
      rows.push([name, ...medians.map((own) => spread(own, 2)), ratio(medians.map((own) => median(own)))]);
    }
    print(`${cpus().length} cores of ${cpus()[0]?.model ?? '?'}, Node.js ${process.version}`);
    print(`one call at a time; medians of ${callsEach} calls, ${rounds} rounds in turns, ${years} years\n`);
    print(table(['call, ms', ...sizes.map((size) => `${size} puffs`), 'ratio'], rows));
  } finally {
    await server.stop();
    await world.close();
  }
};

const ratio = ([small = NaN, large = NaN]: readonly number[]) => (large / small).toFixed(2);
