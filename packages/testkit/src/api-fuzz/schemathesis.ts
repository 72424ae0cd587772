import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

const version = '4.32.5';
const installWithinMs = 120_000;

/** Runs a program to its end, within a bound. Its output goes where ours goes unless `quiet`. */
export const run = async (
  command: string,
  args: readonly string[],
  options: { withinMs: number; quiet?: boolean; cwd?: string },
): Promise<{ code: number | null; output: string }> => {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (!options.quiet) process.stdout.write(text);
    });
  const deadline = setTimeout(() => child.kill('SIGKILL'), options.withinMs);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        resolve({ code, output });
      });
    });
  } finally {
    clearTimeout(deadline);
  }
};

/**
 * The path of Schemathesis, installed once from PyPI into a virtual environment of the cache. Throws an Error for
 * people where Python or PyPI is not to be had.
 */
export const findSchemathesis = async (print: (line: string) => void): Promise<string> => {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'pufftrack');
  const home = join(cache, `schemathesis-${version}`);
  const program = join(home, 'bin', 'st');
  if (existsSync(join(home, 'complete'))) return program;
  print(`Installing schemathesis ${version} from PyPI into ${home}`);
  await rm(home, { recursive: true, force: true });
  await mkdir(cache, { recursive: true });
  const failed = (what: string, output: string) =>
    new Error(
      `${what}. The API fuzz test needs python3 with venv, and PyPI within reach:\n${output.trim().slice(-1_500)}`,
    );
  const python = await run('python3', ['-m', 'venv', home], { withinMs: installWithinMs, quiet: true }).catch(
    (error: unknown) => ({ code: 1, output: String(error) }),
  );
  if (python.code !== 0) throw failed('No virtual environment could be made', python.output);
  const pip = await run(
    join(home, 'bin', 'pip'),
    ['install', '--quiet', '--retries', '1', '--timeout', '15', `schemathesis==${version}`],
    { withinMs: installWithinMs, quiet: true },
  );
  if (pip.code !== 0) throw failed(`schemathesis ${version} could not be installed`, pip.output);
  // A mark that only a whole installation has.
  await mkdir(join(home, 'complete.new'), { recursive: true });
  await rename(join(home, 'complete.new'), join(home, 'complete'));
  return program;
};
