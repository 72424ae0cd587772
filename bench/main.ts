import { benchFanout } from './fanout.ts';
import { benchFriends } from './friends.ts';
import { benchRead } from './read.ts';
import { benchRecord } from './record.ts';

// `npm run bench -- <name>`; each benchmark starts what it needs on this machine and ends by itself.
const benchmarks: Readonly<Record<string, (print: (line: string) => void) => Promise<void>>> = {
  record: benchRecord,
  read: benchRead,
  fanout: benchFanout,
  friends: benchFriends,
};

const [name] = process.argv.slice(2);
const run = name === undefined ? undefined : benchmarks[name];
if (run) {
  await run((line) => process.stdout.write(`${line}\n`));
} else {
  process.stderr.write(`Usage: npm run bench -- <${Object.keys(benchmarks).join(' | ')}>\n`);
  process.exitCode = 1;
}
