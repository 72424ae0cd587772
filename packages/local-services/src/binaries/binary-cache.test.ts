import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheHome, createBinaryCache } from './binary-cache.ts';

const program = (note: string) => `#!/bin/sh\n# ${note}\necho "db version v6.0.5"\n`;

describe('binary cache', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pufftrack-cache-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const cacheIn = (...roots: string[]) =>
    createBinaryCache({ roots, name: 'program-1', file: 'program', env: {} });
  const made = (content: string) => async (work: string) => {
    await writeFile(join(work, 'download'), content);
    return join(work, 'download');
  };

  it('stores the fetched program and removes the work directory', async () => {
    const cache = cacheIn(directory);
    await expect(cache.find()).rejects.toThrow('empty');
    const path = await cache.fill(made(program('a')));
    expect(await cache.find()).toBe(path);
    expect(await readdir(join(directory, 'program-1'))).toEqual(['program']);
  });

  it('does not store a program that does not run', async () => {
    const cache = cacheIn(directory);
    await expect(cache.fill(made('#!/bin/sh\nexit 1\n'))).rejects.toThrow('it exited with 1');
    expect(await readdir(join(directory, 'program-1'))).toEqual([]);
  });

  it('does not use a damaged entry and replaces it', async () => {
    const cache = cacheIn(directory);
    await mkdir(join(directory, 'program-1'));
    await writeFile(join(directory, 'program-1', 'program'), 'not a program', { mode: 0o755 });
    await expect(cache.find()).rejects.toThrow('does not run');
    await cache.fill(made(program('new')));
    expect(await readFile(await cache.find(), 'utf8')).toContain('new');
  });

  it('stores one complete program when two callers fetch it at the same time', async () => {
    const paths = await Promise.all([
      cacheIn(directory).fill(made(program('a'))),
      cacheIn(directory).fill(made(program('b'))),
    ]);
    expect(new Set(paths).size).toBe(1);
    await expect(cacheIn(directory).find()).resolves.toBe(paths[0]);
    expect(await readdir(join(directory, 'program-1'))).toEqual(['program']);
  });

  it('uses the next root when one is not writable', async () => {
    const blocked = join(directory, 'a-file');
    await writeFile(blocked, '');
    const cache = cacheIn(blocked, join(directory, 'second'));
    const path = await cache.fill(made(program('a')));
    expect(path).toBe(join(directory, 'second', 'program-1', 'program'));
    expect(await cache.find()).toBe(path);
  });

  it('follows the XDG base directory specification', () => {
    expect(cacheHome({ HOME: '/home/a' })).toBe('/home/a/.cache/pufftrack');
    expect(cacheHome({ HOME: '/home/a', XDG_CACHE_HOME: '/c' })).toBe('/c/pufftrack');
    expect(cacheHome({ HOME: '/home/a', XDG_CACHE_HOME: 'relative' })).toBe('/home/a/.cache/pufftrack');
  });
});
