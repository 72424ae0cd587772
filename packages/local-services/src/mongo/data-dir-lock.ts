import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataDirInUseError } from '../local-service-error.ts';
import { identify, isAlive, type ProcessIdentity } from '../process-identity.ts';

interface Holder extends ProcessIdentity {
  /** Identifies this claim, so that successors can compete for exactly this one. */
  claim: string;
}

const readHolder = async (path: string): Promise<Holder | undefined> => {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    const { pid, startedAt, claim } = JSON.parse(text) as Holder;
    if (/^[\w-]+$/.test(claim)) return { pid, startedAt, claim };
  } catch {
    // Claims appear complete, so another content belongs to no running process.
  }
  return { pid: 0, claim: 'unreadable' };
};

/**
 * Makes `path` a hard link to `file`, unless a live process holds it; then returns that process. A dead holder is replaced
 * by the process that holds the lock `path.claim` of exactly that claim. So of many processes that see the same dead holder
 * only one replaces it, and a late one cannot replace the successor.
 */
const acquire = async (path: string, file: string): Promise<ProcessIdentity | undefined> => {
  for (;;) {
    try {
      await link(file, path);
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = await readHolder(path);
    if (!holder) continue;
    if (isAlive(holder)) return holder;
    const succession = `${path}.${holder.claim}`;
    const rival = await acquire(succession, file);
    if (rival) return rival;
    if ((await readHolder(path))?.claim === holder.claim) {
      await rename(succession, path);
      return undefined;
    }
    await rm(succession, { force: true });
  }
};

/**
 * Locks a data directory for this process (`server.lock`).
 * @throws DataDirInUseError with the pid of the process that holds it
 */
export const lockDataDir = async (dataDir: string): Promise<{ release(): Promise<void> }> => {
  const path = join(dataDir, 'server.lock');
  const holder: Holder = { ...identify(process.pid), claim: randomUUID() };
  const file = `${path}.new-${holder.claim}`;
  await writeFile(file, JSON.stringify(holder));
  try {
    const other = await acquire(path, file);
    if (other)
      throw new DataDirInUseError(
        `Another PuffTrack server (pid ${other.pid}) uses the data directory ${dataDir}. ` +
          'Stop it, or set DATA_DIR to another directory.',
      );
  } finally {
    await rm(file, { force: true });
  }
  return {
    async release() {
      if ((await readHolder(path))?.claim === holder.claim) await rm(path, { force: true });
    },
  };
};
