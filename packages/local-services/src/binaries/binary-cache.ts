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

/** Work directories of processes that were killed in mid-download. */
const sweep = async (entry: string): Promise<void> => {
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
      await sweep(entry);
      return { entry, work: await mkdtemp(join(entry, '.part-')) };
    } catch (error) {
      reasons.push((error as Error).message);
    }
  }
  throw new Error(`no directory to keep it in: ${reasons.join('; ')}`);
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
 * One downloaded program, kept as `<root>/<name>/<file>` in the first root that can be written. The file appears
 * there by a rename, after it ran once: it is whole whenever it is there, however many processes fetch it at once.
 * It runs again before each use, which one that lost its end (its data and what relocates it) does not survive.
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
    /** @throws Error saying what is wrong with what is there */
    async find(): Promise<string> {
      const reasons = new Set<string>();
      for (const entry of entries) {
        const path = join(entry, file);
        if (!(await isExecutable(path))) {
          reasons.add('not there');
          continue;
        }
        try {
          await versionOf(path, env, signal);
          return path;
        } catch (error) {
          reasons.add(`what is there does not run: ${(error as Error).message}`);
        }
      }
      throw new Error([...reasons].join('; '));
    },
    /** Lets `fetch` make the program somewhere in a work directory, proves that it runs, and keeps it. */
    async fill(fetch: (work: string) => Promise<string>): Promise<string> {
      const { entry, work } = await workDirectory(entries);
      try {
        const made = await fetch(work);
        await chmod(made, 0o755);
        await versionOf(made, env, signal);
        await flush(made);
        const kept = join(entry, file);
        await rename(made, kept);
        return kept;
      } finally {
        // What a child of an aborted program may still write there is swept later.
        await rm(work, { recursive: true, force: true }).catch(() => undefined);
      }
    },
  };
};
