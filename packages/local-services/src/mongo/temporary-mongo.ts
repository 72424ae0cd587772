import { access, constants, mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMongo, type LocalMongo } from './mongo.ts';
import { findOrphan } from './mongod-process.ts';
import { isAlive } from '../process-identity.ts';

const prefix = 'pufftrack-run-';
const memory = '/dev/shm';
/** A test run stores a few hundred MB; a container may have only 64 MB of shared memory. */
const roomBytes = 4 * 1024 ** 3;

const hasRoomInMemory = async (): Promise<boolean> => {
  try {
    await access(memory, constants.W_OK);
    const { bavail, bsize } = await statfs(memory);
    return bavail * bsize >= roomBytes;
  } catch {
    return false;
  }
};

const newDir = (root: string) => mkdtemp(join(root, `${prefix}${process.pid}-`));

/** A new data directory. Its name contains the pid of this process, so that it can be removed after the process has exited. */
export const temporaryDataDir = (): Promise<string> => newDir(tmpdir());

/** Stops every mongod in a temporary data directory whose process has exited, and removes these directories. */
export const endAbandonedMongos = async (): Promise<void> => {
  for (const root of [tmpdir(), memory])
    for (const name of await readdir(root).catch(() => [])) {
      const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length)) : NaN;
      if (Number.isNaN(pid) || isAlive({ pid })) continue;
      const dataDir = join(root, name);
      try {
        if (findOrphan(dataDir)) await (await startMongo({ dataDir })).stop();
        await rm(dataDir, { recursive: true, force: true });
      } catch {
        // Another run does the same, or the directory belongs to another user.
      }
    }
};

/**
 * A MongoDB for one test run, demo or benchmark. `stop` deletes its data, and so does a signal that ends this process. After
 * a kill -9, the next call in any process deletes it.
 */
export const startTemporaryMongo = async (
  options: {
    log?: (line: string) => void;
    /** Stores the data in memory if there is enough space: tests mostly wait for the disk. */
    inMemory?: boolean;
  } = {},
): Promise<LocalMongo> => {
  const { inMemory = false, log } = options;
  await endAbandonedMongos();
  const dataDir = await newDir(inMemory && (await hasRoomInMemory()) ? memory : tmpdir());
  const mongo = await startMongo({ dataDir, ...(log && { log }) });
  let ended: Promise<void> | undefined;
  const end = async () => {
    await mongo.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  const stop = () => (ended ??= end());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => void stop().finally(() => process.kill(process.pid, signal)));
  return { ...mongo, stop };
};
