import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockDataDir } from './data-dir-lock.ts';
import { LocalServiceError } from '../local-service-error.ts';
import { identify } from '../process-identity.ts';

/** Above the largest pid that Linux gives (2^22). */
const nobody = 4_999_999;

describe('lockDataDir', () => {
  let dataDir: string;
  let path: string;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'pufftrack-lock-'));
    path = join(dataDir, 'server.lock');
  });
  afterEach(() => rm(dataDir, { recursive: true }));

  const contend = async (many: number) => {
    const tries = await Promise.allSettled(Array.from({ length: many }, () => lockDataDir(dataDir)));
    return {
      holders: tries.flatMap((found) => (found.status === 'fulfilled' ? [found.value] : [])),
      refusals: tries.flatMap((found) => (found.status === 'rejected' ? [found.reason as Error] : [])),
    };
  };

  it('refuses a directory that a live process holds, naming both', async () => {
    await lockDataDir(dataDir);
    const second = lockDataDir(dataDir);
    await expect(second).rejects.toThrow(LocalServiceError);
    await expect(second).rejects.toThrow(`pid ${process.pid}`);
    await expect(second).rejects.toThrow(dataDir);
  });

  it('gives the directory free', async () => {
    const lock = await lockDataDir(dataDir);
    await lock.release();
    await expect(access(path)).rejects.toThrow('ENOENT');
    await expect(lockDataDir(dataDir)).resolves.toBeDefined();
  });

  it('lets exactly one of many replace a dead holder', async () => {
    for (let round = 0; round < 20; round += 1) {
      await writeFile(path, JSON.stringify({ pid: nobody, claim: `dead-${round}` }));
      const { holders, refusals } = await contend(12);
      expect(holders).toHaveLength(1);
      expect(refusals.every((error) => error instanceof LocalServiceError)).toBe(true);
      await holders[0]!.release();
    }
  });

  it('replaces a dead holder whose successor died before it took over', async () => {
    await writeFile(path, JSON.stringify({ pid: nobody, claim: 'first' }));
    await writeFile(`${path}.first`, JSON.stringify({ pid: nobody, claim: 'second' }));
    expect((await contend(5)).holders).toHaveLength(1);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ pid: process.pid });
  });

  it('takes a file that is no claim for nobody', async () => {
    await writeFile(path, '');
    expect((await contend(3)).holders).toHaveLength(1);
  });

  it('does not take a recycled pid for the holder', async () => {
    const { startedAt } = identify(process.pid);
    const earlier = startedAt === undefined ? { pid: nobody } : { pid: process.pid, startedAt: 'boot/1' };
    await writeFile(path, JSON.stringify({ ...earlier, claim: 'earlier' }));
    await expect(lockDataDir(dataDir)).resolves.toBeDefined();
  });
});
