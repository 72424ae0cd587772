import { access, constants, mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMongo, type LocalMongo } from './mongo.ts';
import { findOrphan } from './mongod-process.ts';
import { isAlive } from '../process-identity.ts';

const prefix = 'pufftrack-run-';
const memory = '/dev/shm';
/** What a test run leaves in its database is a few hundred MB; a container may have 64 MB there. */
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

/** A new data directory of this process, whose name tells whether its owner is still alive. */
export const temporaryDataDir = (): Promise<string> => newDir(tmpdir());

/** Ends every mongod that runs in a temporary data directory of a process that is gone, and removes these directories. */
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
        // Another run is doing the same, or the directory is another person's.
      }
    }
};

/**
 * A MongoDB for one test run, demonstration or measurement. `stop` forgets its data; so does a signal that ends this
 * process, and the next call of anybody after a kill -9.
 */
export const startTemporaryMongo = async (
  options: {
    log?: (line: string) => void;
    /** Its data lies in memory where there is room: for tests, which wait for the disk more than for anything else. */
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
