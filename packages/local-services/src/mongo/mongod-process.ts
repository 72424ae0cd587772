import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../environment.ts';
import { commandLine, identify, isAlive, type ProcessIdentity } from '../process-identity.ts';

export interface MongodProcess extends ProcessIdentity {
  port: number;
  /** It has been told to end; it may still answer as if nothing were. */
  ending?: boolean | undefined;
}

export const replicaSetName = 'rs0';

const dbPathOf = (dataDir: string) => join(dataDir, 'mongo');
const recordOf = (dataDir: string) => join(dataDir, 'mongod.json');
const logOf = (dataDir: string) => join(dataDir, 'mongod.log');

const readJson = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as unknown;
  } catch {
    return undefined;
  }
};

/** What `mongod.json` says of the last mongod on this directory. */
export const readRecord = (dataDir: string): Partial<MongodProcess> => {
  const record = readJson(recordOf(dataDir));
  return typeof record === 'object' && record !== null ? record : {};
};

export const writeRecord = (dataDir: string, record: MongodProcess): void => {
  const path = recordOf(dataDir);
  writeFileSync(`${path}.new`, JSON.stringify(record));
  renameSync(`${path}.new`, path);
};

/**
 * A mongod that runs on this directory although its server is gone. The record names it; mongod's own lock file
 * does too, for a server that was killed between starting mongod and writing the record.
 */
export const findOrphan = (dataDir: string): MongodProcess | undefined => {
  const record = readRecord(dataDir);
  const locked = identify(Number(readJson(join(dbPathOf(dataDir), 'mongod.lock'))));
  const candidates: Partial<MongodProcess>[] = [record, locked];
  for (const { pid = 0, startedAt, ending } of candidates) {
    const line = isAlive({ pid, startedAt }) ? commandLine(pid) : undefined;
    const port = line?.includes(` --dbpath ${dbPathOf(dataDir)} `) ? / --port (\d+) /.exec(line) : undefined;
    if (!port) continue;
    return { pid, startedAt, port: Number(port[1]), ending };
  }
  return undefined;
};

/**
 * Starts mongod in a process group of its own: Ctrl-C in the terminal is for the server, which still has work to
 * drain into the database. The log of the run before is kept as `mongod.log.1`.
 */
export const spawnMongod = async (options: {
  path: string;
  port: number;
  dataDir: string;
  env: Environment;
}): Promise<MongodProcess> => {
  const { path, port, dataDir, env } = options;
  await mkdir(dbPathOf(dataDir), { recursive: true, mode: 0o700 });
  await rename(logOf(dataDir), `${logOf(dataDir)}.1`).catch(() => undefined);
  const args = ['--replSet', replicaSetName, '--bind_ip', '127.0.0.1', '--port', String(port)];
  // Without the Unix socket: its place, /tmp, is shared, and a stale one of another user's would stop the start.
  args.push('--dbpath', dbPathOf(dataDir), '--nounixsocket', '--quiet');
  // No JavaScript in the server (`security.javascriptEnabled: false`): $where, $function and $accumulator fail.
  args.push('--noscripting');
  // A process killed in mid-transaction leaves its document locks for so long (60 s by default).
  args.push('--setParameter', 'transactionLifetimeLimitSeconds=3', '--wiredTigerCacheSizeGB', '0.5');
  // A collection or index that was not used for 20 s closes its file: a test run opens more of them than a process may.
  args.push('--wiredTigerEngineConfigString', 'file_manager=(close_idle_time=20,close_scan_interval=5)');
  const log = openSync(logOf(dataDir), 'a', 0o600);
  try {
    const child = spawn(path, args, {
      detached: true,
      cwd: dataDir,
      env: { ...env },
      stdio: ['ignore', log, log],
    });
    if (child.pid !== undefined) {
      const mongod = { ...identify(child.pid), port };
      writeRecord(dataDir, mongod);
      child.unref();
      return mongod;
    }
    return await new Promise<never>((_, reject) => child.once('error', reject));
  } finally {
    closeSync(log);
  }
};

/** The errors and the last lines of mongod's log, for a person to read. */
export const logTail = async (dataDir: string): Promise<string> => {
  const text = await readFile(logOf(dataDir), 'utf8').catch(() => '');
  const lines = text.trimEnd().split('\n');
  const errors = lines.filter((line) => /"s":"[EF]"/.test(line)).slice(-5);
  const shown = [...new Set([...errors, ...lines.slice(-5)])].map((line) => `  ${line.slice(0, 400)}`);
  return `${logOf(dataDir)} ends with:\n${shown.join('\n')}`;
};
