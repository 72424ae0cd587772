import { spawnProgram, type ServerProcess } from '../server-process.ts';
import type { Flood } from './flood.ts';

export interface AttackResult {
  readonly flood: string;
  readonly attempts: number;
  /** ms that `POST /puffs` of other accounts takes. */
  readonly p50Before: number;
  readonly p50During: number;
  /** Of those accounts, during the flood. */
  readonly fiveXx: number;
  readonly failed: number;
  /** CPU seconds of the server for each second of the flood, the puffs of other accounts included. */
  readonly cpu: number;
  /** Bytes. */
  readonly rssBefore: number;
  readonly rssAfter: number;
}

const beforeMs = 4_000;
const floodMs = 10_000;
const measuredMs = 8_000;
/** A person may send 600 puffs a minute. */
const pauseMs = 200;
const maxRatio = 3;
/** What the allocator keeps of memory that is free. */
const rssTolerance = 64 * 1024 * 1024;
const settleMs = 60_000;

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs one flood against a server while `people` (their tokens) go on posting puffs. */
export const attack = async (
  server: ServerProcess,
  flood: Flood,
  accounts: { people: readonly string[]; attackers: readonly string[] },
): Promise<AttackResult> => {
  const rssBefore = await rssOf(server);
  const before = await post(server.url, accounts.people, beforeMs);
  const child = spawnProgram('packages/testkit/src/attack/flood-process.ts', {}, [
    flood.name,
    server.url,
    String(floodMs / 1_000),
    ...accounts.attackers,
  ]);
  // Its start takes CPU time that no attack would.
  await wait(1_500);
  const cpuBefore = await cpuOf(server);
  const during = await post(server.url, accounts.people, measuredMs);
  const cpu = ((await cpuOf(server)) - cpuBefore) / (measuredMs / 1_000);
  const code = await child.ended;
  if (code !== 0) throw new Error(`the flood ${flood.name} failed:\n${child.output()}`);
  const rssAfter = await rssAtRest(server, accounts.people, rssBefore);
  return {
    flood: flood.name,
    attempts: Number(child.output()),
    p50Before: medianOf(before.ms),
    p50During: medianOf(during.ms),
    fiveXx: during.fiveXx,
    failed: during.failed,
    cpu,
    rssBefore,
    rssAfter,
  };
};

/** What the result falls short of; empty where the server held. */
export const faultsOf = (result: AttackResult): string[] => [
  ...(result.p50During > maxRatio * result.p50Before ? [`p50 is more than ${maxRatio} x`] : []),
  ...(result.fiveXx > 0 ? ['other clients got a 5xx'] : []),
  ...(result.failed > 0 ? ['requests of other clients failed'] : []),
  ...(result.rssAfter > result.rssBefore + rssTolerance ? ['memory did not return to its level'] : []),
];

interface Posted {
  ms: number[];
  fiveXx: number;
  failed: number;
}

/** Each person posts, waits and posts again. */
const post = async (url: string, people: readonly string[], forMs: number): Promise<Posted> => {
  const posted: Posted = { ms: [], fiveXx: 0, failed: 0 };
  const endsAt = performance.now() + forMs;
  const one = async (token: string) => {
    while (performance.now() < endsAt) {
      const startedAt = performance.now();
      try {
        const answer = await fetch(`${url}/puffs`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: '{}',
        });
        await answer.arrayBuffer();
        if (answer.status >= 500) posted.fiveXx += 1;
        else if (answer.status !== 201) posted.failed += 1;
      } catch {
        posted.failed += 1;
      }
      posted.ms.push(performance.now() - startedAt);
      await wait(pauseMs);
    }
  };
  await Promise.all(people.map(one));
  return posted;
};

const medianOf = (values: readonly number[]): number =>
  [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;

const figureOf = async ({ url }: ServerProcess, name: string): Promise<number> => {
  const figures = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(figures)?.[1]);
};
/** After a garbage collection, see `collect-on-signal.mjs`. */
const rssOf = async (server: ServerProcess) => {
  process.kill(server.pid, 'SIGUSR2');
  await wait(500);
  return figureOf(server, 'process_resident_memory_bytes');
};
const cpuOf = (server: ServerProcess) => figureOf(server, 'process_cpu_seconds_total');

/**
 * The memory once it is back at its level; otherwise the level after a minute. The others go on
 * meanwhile, as they do before.
 */
const rssAtRest = async (
  server: ServerProcess,
  people: readonly string[],
  level: number,
): Promise<number> => {
  const endsAt = performance.now() + settleMs;
  for (;;) {
    const rss = await rssOf(server);
    if (rss <= level + rssTolerance || performance.now() > endsAt) return rss;
    await post(server.url, people, 2_000);
  }
};
