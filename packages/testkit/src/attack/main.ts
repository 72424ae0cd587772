import { randomBytes } from 'node:crypto';
import { startAppleSimulator } from '@pufftrack/apple-simulator';
import { startTemporaryMongo, temporaryDataDir } from '@pufftrack/local-services';
import { signInPerson } from '../person.ts';
import { startServerProcess } from '../server-process.ts';
import { attack, faultsOf, type AttackResult } from './measure.ts';
import { floods } from './floods.ts';

// `npm run test:attack` floods a server of its own, one kind after the other, while other clients record puffs;
// `npm run test:attack -- <name> ...` runs some. Nothing leaves loopback.

const clientId = 'app.pufftrack.attack';
const collectOnSignal = new URL('../../collect-on-signal.mjs', import.meta.url).href;
const people = 8;
const attackers = 5;

const print = (line: string) => {
  process.stdout.write(`${line}\n`);
};
const megabytes = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MB`;

const lineOf = (result: AttackResult): string => {
  const faults = faultsOf(result);
  return [
    result.flood.padEnd(22),
    `${result.attempts} attempts`.padEnd(17),
    `p50 ${result.p50Before.toFixed(1)} -> ${result.p50During.toFixed(1)} ms`.padEnd(24),
    `5xx ${result.fiveXx}, failed ${result.failed}`.padEnd(18),
    `CPU ${Math.round(result.cpu * 100)} %`.padEnd(8),
    `RSS ${megabytes(result.rssBefore)} -> ${megabytes(result.rssAfter)}`.padEnd(24),
    faults.length === 0 ? 'held' : `FAILED: ${faults.join('; ')}`,
  ].join('  ');
};

const run = async (names: readonly string[]): Promise<boolean> => {
  const chosen = floods.filter(({ name }) => names.length === 0 || names.includes(name));
  if (chosen.length === 0) throw new Error(`Floods: ${floods.map(({ name }) => name).join(', ')}`);
  const mongo = await startTemporaryMongo({ log: print });
  const apple = await startAppleSimulator({ now: () => Date.now() });
  try {
    const server = await startServerProcess(
      {
        MONGODB_URI: mongo.uri,
        MASTER_KEY: randomBytes(32).toString('base64'),
        PUBLIC_URL: 'http://attack.test',
        PORT: '0',
        APPLE_BASE_URL: apple.baseUrl,
        APPLE_CLIENT_IDS: clientId,
        DATA_DIR: await temporaryDataDir(),
        // The limits as they are in production.
        RATE_LIMIT_SCALE: '1',
        LOG_LEVEL: 'info',
        NODE_OPTIONS: `--import ${collectOnSignal}`,
      },
      'packages/server/dist/main.js',
    );
    try {
      const world = { url: server.url, now: () => Date.now(), apple, clientId };
      const signIn = async (kind: string, count: number) => {
        const tokens: string[] = [];
        for (let index = 0; index < count; index++) {
          const { client } = await signInPerson(world, `${kind}-${index}`);
          tokens.push(client.accessToken() ?? '');
          client.close();
        }
        return tokens;
      };
      const accounts = {
        people: await signIn('person', people),
        attackers: await signIn('attacker', attackers),
      };
      let held = true;
      const [first] = chosen;
      // Code is compiled and the heap has grown once before anything is measured.
      if (first) await attack(server, first, accounts);
      for (const flood of chosen) {
        const result = await attack(server, flood, accounts);
        print(lineOf(result));
        held &&= faultsOf(result).length === 0;
      }
      return held;
    } finally {
      await server.stop();
    }
  } finally {
    await apple.close();
    await mongo.stop();
  }
};

try {
  if (!(await run(process.argv.slice(2)))) process.exitCode = 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
