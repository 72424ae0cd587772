import { setPriority } from 'node:os';
import { floods } from './floods.ts';

// Arguments: name of the flood, URL, seconds, tokens. Prints the number of attempts.
const [name, url = '', seconds = '', ...tokens] = process.argv.slice(2);
const flood = floods.find((one) => one.name === name);
if (!flood) throw new Error(`there is no flood ${name ?? ''}`);
// An attacker has machines of its own. Here it must not take the CPU of the server and of the clients that are measured.
setPriority(10);
const attempts = await flood.run({
  url,
  tokens,
  signal: AbortSignal.timeout(Number(seconds) * 1_000),
});
process.stdout.write(`${attempts}\n`, () => {
  process.exit();
});
