import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMongo, type LocalMongo } from './mongo.ts';
import { findOrphan } from './mongod-process.ts';
import { isAlive } from './process-identity.ts';

const prefix = 'pufftrack-run-';

/** A new data directory of this process, whose name tells whether its owner is still alive. */
export const temporaryDataDir = (): Promise<string> => mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`));

/** Ends every mongod that runs in a temporary data directory of a process that is gone, and removes these directories. */
export const endAbandonedMongos = async (): Promise<void> => {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length)) : NaN;
    if (Number.isNaN(pid) || isAlive({ pid })) continue;
    const dataDir = join(tmpdir(), name);
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
  options: { log?: (line: string) => void } = {},
): Promise<LocalMongo> => {
  await endAbandonedMongos();
  const dataDir = await temporaryDataDir();
  const mongo = await startMongo({ dataDir, ...options });
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
