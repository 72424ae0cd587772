import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { patienceMs } from './eventually.ts';

/** A server as a process of its own, for what only a process can show: signals, kills, CPU time. */
export interface ServerProcess {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  /** What it wrote so far, both streams. */
  output(): string;
  /** Stops reading its stdout, as a stalled log collector does, and reads on. */
  pauseOutput(): void;
  resumeOutput(): void;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

const root = resolve(import.meta.dirname, '../../..');
/** As in the start scripts of package.json: without `__proto__` no input can reach a prototype by it. */
const nodeFlags = ['--disable-proto=delete'];
const endWithParent = join(import.meta.dirname, '../end-with-parent.mjs');

/** How Node runs a program: as it was built, as the test run has bundled it, or from its sources. */
const argumentsFor = (program: string): readonly string[] => {
  if (!program.endsWith('.ts')) return [join(root, program)];
  const bundled = process.env['PUFFTRACK_TEST_PROGRAMS'];
  return bundled === undefined
    ? ['--import', 'tsx', '--conditions=@pufftrack/source', join(root, program)]
    : ['--enable-source-maps', join(bundled, `${basename(program, '.ts')}.js`)];
};

/**
 * Runs a program of this repository to its end. Unless it is given a DATA_DIR, it gets one of its own for that time, so
 * that the one of a development server stays as it is.
 */
export const spawnProgram = (
  program: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
) => {
  const dataDir = env['DATA_DIR'] ?? mkdtempSync(join(tmpdir(), `pufftrack-run-${process.pid}-`));
  const child = spawn(
    process.execPath,
    [...nodeFlags, '--import', endWithParent, ...argumentsFor(program), ...args],
    {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: '', ...env, DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  );
  const { stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error(`${program} has no pipes`);
  let output = '';
  for (const stream of [stdout, stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = new Promise<number | null>((done) => child.once('exit', done)).finally(() => {
    if (env['DATA_DIR'] === undefined) rmSync(dataDir, { recursive: true, force: true });
  });
  return { child, stdout, ended, dataDir, output: () => output };
};

/** Starts a server; it is there once it has logged `"port":<n>`. */
export const startServerProcess = async (
  env: Readonly<Record<string, string>>,
  program = 'packages/server/src/main.ts',
): Promise<ServerProcess> => {
  // Tests call from one address, as often as they like.
  const { child, stdout, ended, output } = spawnProgram(program, { RATE_LIMIT_SCALE: '1000', ...env });
  if (child.pid === undefined) throw new Error(`${program} did not start`);
  const port = await new Promise<number>((found, failed) => {
    const deadline = setTimeout(() => {
      child.kill('SIGKILL');
      failed(new Error(`${program} did not start within ${patienceMs / 1_000} s:\n${output()}`));
    }, patienceMs);
    void ended.then((code) => {
      clearTimeout(deadline);
      failed(new Error(`${program} ended with ${code ?? 'a signal'}:\n${output()}`));
    });
    createInterface({ input: stdout }).on('line', (line) => {
      const match = /"port":(\d+)/.exec(line);
      if (!match) return;
      clearTimeout(deadline);
      found(Number(match[1]));
    });
  });
  return {
    pid: child.pid,
    port,
    url: `http://127.0.0.1:${port}`,
    output,
    pauseOutput() {
      stdout.pause();
    },
    resumeOutput() {
      stdout.resume();
    },
    stop() {
      child.kill('SIGTERM');
      return ended;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
};
