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
/** mongod first asks at its old address whether that is still itself, for up to 30 s if nobody answers there. */
const movedWithinMs = 60_000;
const stopWithinMs = 15_000;
const portAttempts = 5;

export interface StartMongoOptions {
  /** Kept over restarts; one live server at a time. Made if it is not there. */
  dataDir: string;
  /** Takes one line of progress at a time. */
  log?: (line: string) => void;
  /** Where a downloaded mongod is kept (see findMongod). */
  cacheDir?: string;
  env?: Environment;
}

export interface LocalMongo {
  /** Of the database `pufftrack` on a replica set of one; another port after a restart is possible. */
  uri: string;
  pid: number;
  /** Ends mongod cleanly, by force after 15 s, and gives the data directory free. The data stays. */
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
    log(`MongoDB: taking over mongod (pid ${orphan.pid}), which runs on ${dataDir} without a server`);
    writeRecord(dataDir, orphan);
    if (await becomesPrimary(orphan)) return orphan;
  }
  await stopProcess(orphan, stopWithinMs);
  return undefined;
};

/**
 * The replica set stores its address, so the port is chosen once. If somebody else has it at the next start, the
 * set moves to another one.
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
    // Somebody can take the port between the look and mongod's own bind.
    if (died && attempt < portAttempts && !(await isPortFree(port))) continue;
    const what = died ? 'ended while starting' : `was not ready within ${withinMs / 1_000} s`;
    throw new LocalServiceError(`MongoDB (${path}) ${what}. ${await logTail(dataDir)}`);
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
 * Runs a MongoDB replica set of one for this data directory, or takes over the mongod that a killed server left.
 * It listens on 127.0.0.1 without access control.
 * @throws LocalServiceError in production, when another live server has the directory, when no mongod is to be
 * had, and when it does not get ready within 30 s
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
