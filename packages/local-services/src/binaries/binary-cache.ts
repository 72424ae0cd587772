import { chmod, mkdir, mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Environment } from '../environment.ts';
import { isExecutable, versionOf } from './executable.ts';

const abandonedAfterMs = 86_400_000;

/** `$XDG_CACHE_HOME/pufftrack`, else `~/.cache/pufftrack`. */
export const cacheHome = (env: Environment): string => {
  const xdg = env['XDG_CACHE_HOME'];
  const base = xdg && isAbsolute(xdg) ? xdg : join(env['HOME'] ?? homedir(), '.cache');
  return join(base, 'pufftrack');
};

/** Removes the work directories of processes that were killed during a download. */
const removeAbandonedWork = async (entry: string): Promise<void> => {
  for (const name of await readdir(entry)) {
    if (!name.startsWith('.part-')) continue;
    const age = await stat(join(entry, name)).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > abandonedAfterMs) await rm(join(entry, name), { recursive: true, force: true });
  }
};

const workDirectory = async (entries: readonly string[]): Promise<{ entry: string; work: string }> => {
  const reasons: string[] = [];
  for (const entry of entries) {
    try {
      await mkdir(entry, { recursive: true });
      await removeAbandonedWork(entry);
      return { entry, work: await mkdtemp(join(entry, '.part-')) };
    } catch (error) {
      reasons.push((error as Error).message);
    }
  }
  throw new Error(`no writable cache directory: ${reasons.join('; ')}`);
};

const flush = async (path: string): Promise<void> => {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
};

/**
 * One downloaded program, stored as `<root>/<name>/<file>` in the first writable root. The file is renamed into place after
 * it has run once, so it is complete whenever it exists, also when several processes download it at the same time. It runs
 * once more before each use, because a truncated binary fails to start.
 */
export const createBinaryCache = (options: {
  roots: readonly string[];
  name: string;
  file: string;
  env: Environment;
  signal?: AbortSignal | undefined;
}) => {
  const { name, file, env, signal } = options;
  const entries = options.roots.map((root) => join(root, name));
  return {
    entries,
    /** @throws Error with the reason why no entry can be used */
    async find(): Promise<string> {
      const reasons = new Set<string>();
      for (const entry of entries) {
        const path = join(entry, file);
        if (!(await isExecutable(path))) {
          reasons.add('empty');
          continue;
        }
        try {
          await versionOf(path, env, signal);
          return path;
        } catch (error) {
          reasons.add(`the cached program does not run: ${(error as Error).message}`);
        }
      }
      throw new Error([...reasons].join('; '));
    },
    /** Runs `fetch`, which returns the path of a program in the work directory, checks that it runs, and stores it. */
    async fill(fetch: (work: string) => Promise<string>): Promise<string> {
      const { entry, work } = await workDirectory(entries);
      try {
        const fetched = await fetch(work);
        await chmod(fetched, 0o755);
        await versionOf(fetched, env, signal);
        await flush(fetched);
        const stored = join(entry, file);
        await rename(fetched, stored);
        return stored;
      } finally {
        // A child of an aborted program may still write here; a later call removes what it leaves.
        await rm(work, { recursive: true, force: true }).catch(() => undefined);
      }
    },
  };
};
