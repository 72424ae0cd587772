import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Runs what needs the data directory, which is made if it is not there. What the file system says against it becomes
 * one sentence for whoever starts the program.
 */
export const withDataDir = async <T>(dataDir: string, work: () => Promise<T>): Promise<T> => {
  try {
    await makeDirectory(dataDir);
    return await work();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(
      `The data directory ${dataDir} cannot be used (${code ?? String(cause)}). Set DATA_DIR to a directory that this user may write.`,
      { cause },
    );
  }
};

/** Step by step: Node's own recursive mkdir never comes back where the file system says ENOENT to what it may not make, as /proc does. */
const makeDirectory = async (path: string): Promise<void> => {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await isDirectory(path))) return;
    if (code !== 'ENOENT' || (await isDirectory(dirname(path)))) throw error;
    await makeDirectory(dirname(path));
    await makeDirectory(path);
  }
};

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
