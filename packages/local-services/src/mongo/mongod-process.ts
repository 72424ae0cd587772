import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../environment.ts';
import { commandLine, identify, isAlive, type ProcessIdentity } from '../process-identity.ts';

export interface MongodProcess extends ProcessIdentity {
  port: number;
  /** SIGTERM has been sent; it may still answer until it exits. */
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

/** The last mongod on this directory, from `mongod.json`. */
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
 * A mongod that still runs on this directory after its server has exited. It is found by the record, or by mongod's own
 * lock file if the server was killed between starting mongod and writing the record.
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
 * Starts mongod in its own process group, so that Ctrl-C in the terminal reaches only the server, which still writes to the
 * database while it drains. The log of the previous run is kept as `mongod.log.1`.
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
  // No Unix socket: its directory, /tmp, is shared, and a stale socket of another user would make the start fail.
  args.push('--dbpath', dbPathOf(dataDir), '--nounixsocket', '--quiet');
  // No JavaScript in the server (`security.javascriptEnabled: false`): $where, $function and $accumulator fail.
  args.push('--noscripting');
  // A process that is killed during a transaction leaves its document locks for this time (60 s by default).
  args.push('--setParameter', 'transactionLifetimeLimitSeconds=3', '--wiredTigerCacheSizeGB', '0.5');
  // Closes files of collections and indexes after 20 s without use: a test run has more of them than the limit of open files.
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

/** The last errors and the last lines of mongod's log, as text for an error message. */
export const logTail = async (dataDir: string): Promise<string> => {
  const text = await readFile(logOf(dataDir), 'utf8').catch(() => '');
  const lines = text.trimEnd().split('\n');
  const errors = lines.filter((line) => /"s":"[EF]"/.test(line)).slice(-5);
  const shown = [...new Set([...errors, ...lines.slice(-5)])].map((line) => `  ${line.slice(0, 400)}`);
  return `${logOf(dataDir)} ends with:\n${shown.join('\n')}`;
};
