import { access, constants, mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { lockDataDir } from './data-dir-lock.ts';
import { refuseProduction, type Environment } from '../environment.ts';
import { findMongod } from './find-mongod.ts';
import { freePort, isPortFree } from '../free-port.ts';
import { LocalServiceError } from '../local-service-error.ts';
import {
  findOrphan,
  logTail,
  readRecord,
  replicaSetName,
  spawnMongod,
  writeRecord,
} from './mongod-process.ts';
import type { MongodProcess } from './mongod-process.ts';
import { isAlive } from '../process-identity.ts';
import { becomePrimary } from './replica-set.ts';
import { stopProcess } from '../stop-process.ts';

const readyWithinMs = 30_000;
/** After a port change mongod first checks its old address, for up to 30 s if nothing answers there. */
const movedWithinMs = 60_000;
const stopWithinMs = 15_000;
const portAttempts = 5;

export interface StartMongoOptions {
  /** Keeps the data over restarts; one running server at a time. Created if it does not exist. */
  dataDir: string;
  /** Called with one line of progress at a time. */
  log?: (line: string) => void;
  /** Where a downloaded mongod is stored (see findMongod). */
  cacheDir?: string;
  env?: Environment;
}

export interface LocalMongo {
  /** The database `pufftrack` on a replica set of one. The port may change at a restart. */
  uri: string;
  pid: number;
  /** Stops mongod (SIGKILL after 15 s) and releases the data directory. The data stays. */
  stop(): Promise<void>;
}

const becomesPrimary = (mongod: MongodProcess, withinMs = readyWithinMs): Promise<boolean> =>
  becomePrimary(mongod.port, {
    deadline: performance.now() + withinMs,
    isRunning: () => isAlive(mongod),
  });

const adopt = async (dataDir: string, log: (line: string) => void): Promise<MongodProcess | undefined> => {
  const orphan = findOrphan(dataDir);
  if (!orphan) return undefined;
  if (!orphan.ending) {
    log(`MongoDB: using the running mongod (pid ${orphan.pid}) on ${dataDir}, whose server has exited`);
    writeRecord(dataDir, orphan);
    if (await becomesPrimary(orphan)) return orphan;
  }
  await stopProcess(orphan, stopWithinMs);
  return undefined;
};

/**
 * The replica set stores its address, so the port is chosen once. If another process uses it at the next start, the set moves
 * to another port.
 */
const launch = async (options: Required<Omit<StartMongoOptions, 'cacheDir'>>, path: string) => {
  const { dataDir, log, env } = options;
  let port = readRecord(dataDir).port;
  let withinMs = readyWithinMs;
  for (let attempt = 1; ; attempt += 1) {
    if (port === undefined || !(await isPortFree(port))) {
      const taken = port;
      port = await freePort();
      if (taken !== undefined) {
        withinMs = movedWithinMs;
        log(`MongoDB: port ${taken} is taken, moving to ${port}; this can take 30 s`);
      }
    }
    const mongod = await spawnMongod({ path, port, dataDir, env });
    if (await becomesPrimary(mongod, withinMs)) return mongod;
    const died = !isAlive(mongod);
    await stopProcess(mongod, stopWithinMs);
    // Another process can take the port between the check and mongod's own bind.
    if (died && attempt < portAttempts && !(await isPortFree(port))) continue;
    const failure = died ? 'exited while starting' : `was not ready within ${withinMs / 1_000} s`;
    throw new LocalServiceError(`MongoDB (${path}) ${failure}. ${await logTail(dataDir)}`);
  }
};

const prepare = async (dataDir: string): Promise<string> => {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await access(dataDir, constants.W_OK);
    return await realpath(dataDir);
  } catch (error) {
    throw new LocalServiceError(`The data directory cannot be used: ${(error as Error).message}`);
  }
};

const uriOf = ({ port }: MongodProcess) =>
  `mongodb://127.0.0.1:${port}/pufftrack?replicaSet=${replicaSetName}&directConnection=true`;

/**
 * Runs a MongoDB replica set of one on this data directory, or continues with the mongod that a killed server left running.
 * It listens on 127.0.0.1 without access control.
 * @throws LocalServiceError in production, when another running server holds the directory, when no mongod is found, and
 * when mongod is not ready within 30 s
 */
export const startMongo = async (options: StartMongoOptions): Promise<LocalMongo> => {
  const { log = () => undefined, env = process.env, cacheDir } = options;
  refuseProduction(env, 'MongoDB', 'MONGODB_URI');
  const dataDir = await prepare(options.dataDir);
  const lock = await lockDataDir(dataDir);
  try {
    let mongod = await adopt(dataDir, log);
    if (!mongod) {
      const { path } = await findMongod({ log, cacheDir, fallbackDir: join(dataDir, 'cache'), env });
      mongod = await launch({ dataDir, log, env }, path);
    }
    const running = mongod;
    let stopping: Promise<void> | undefined;
    const stop = async () => {
      writeRecord(dataDir, { ...running, ending: true });
      await stopProcess(running, stopWithinMs);
      await lock.release();
    };
    return {
      uri: uriOf(running),
      pid: running.pid,
      stop: () => (stopping ??= stop()),
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
};
