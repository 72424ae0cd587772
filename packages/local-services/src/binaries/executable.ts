import { execFile, type ExecFileOptions } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { Environment } from '../environment.ts';

export const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    async () => (await stat(path)).isFile(),
    () => false,
  );

/** The path of the first executable file with this name on `env.PATH`. */
export const findOnPath = async (name: string, env: Environment): Promise<string | undefined> => {
  for (const directory of (env['PATH'] ?? '').split(delimiter).filter(Boolean)) {
    const path = join(directory, name);
    if (await isExecutable(path)) return path;
  }
  return undefined;
};

const execute = promisify(execFile);

/**
 * Runs a program and returns its stdout. When `signal` aborts, the program is killed and this rejects without waiting for
 * its exit.
 * @throws Error with the last error line on stderr, or the reason of `signal`
 */
export const run = async (
  path: string,
  args: readonly string[],
  options: { env: Environment; cwd?: string; signal?: AbortSignal | undefined },
): Promise<string> => {
  const { signal, ...rest } = options;
  signal?.throwIfAborted();
  const execOptions: ExecFileOptions = {
    ...rest,
    env: { ...rest.env },
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 24,
  };
  if (signal) execOptions.signal = signal;
  try {
    return String((await execute(path, args, execOptions)).stdout);
  } catch (error) {
    signal?.throwIfAborted();
    const {
      stderr = '',
      code,
      signal: killedBy,
      message,
    } = error as Error & { stderr?: string; code?: string | number; signal?: string };
    const lines = stderr.split('\n').map((line) => line.trim());
    const last = lines.findLast((line) => /^ERROR\b/.test(line)) ?? lines.filter(Boolean).join(' ');
    const ended = killedBy ? `it was killed by ${killedBy}` : `it exited with ${code ?? message}`;
    throw new Error(last ? last.slice(0, 400) : ended, { cause: error });
  }
};

/**
 * The version that a server binary reports. A reported version also shows that the binary runs on this machine.
 * @throws Error with the reason why it does not run
 */
export const versionOf = async (path: string, env: Environment, signal?: AbortSignal): Promise<string> => {
  const limit = AbortSignal.timeout(5_000);
  const output = await run(path, ['--version'], {
    env,
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
  });
  const version = /\b(?:db version v|server v=)(\d+\.\d+\.\d+)/.exec(output)?.[1];
  if (!version) throw new Error('it reports no version');
  return version;
};
