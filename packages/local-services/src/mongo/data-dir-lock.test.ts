import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockDataDir } from './data-dir-lock.ts';
import { LocalServiceError } from '../local-service-error.ts';
import { identify } from '../process-identity.ts';

/** Above the largest pid that Linux gives (2^22). */
const unusedPid = 4_999_999;

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

  it('rejects a directory that a live process holds and names both', async () => {
    await lockDataDir(dataDir);
    const second = lockDataDir(dataDir);
    await expect(second).rejects.toThrow(LocalServiceError);
    await expect(second).rejects.toThrow(`pid ${process.pid}`);
    await expect(second).rejects.toThrow(dataDir);
  });

  it('releases the directory', async () => {
    const lock = await lockDataDir(dataDir);
    await lock.release();
    await expect(access(path)).rejects.toThrow('ENOENT');
    await expect(lockDataDir(dataDir)).resolves.toBeDefined();
  });

  it('replaces a dead holder exactly once when many processes try', async () => {
    for (let round = 0; round < 20; round += 1) {
      await writeFile(path, JSON.stringify({ pid: unusedPid, claim: `dead-${round}` }));
      const { holders, refusals } = await contend(12);
      expect(holders).toHaveLength(1);
      expect(refusals.every((error) => error instanceof LocalServiceError)).toBe(true);
      await holders[0]!.release();
    }
  });

  it('replaces a dead holder whose successor died before it became the holder', async () => {
    await writeFile(path, JSON.stringify({ pid: unusedPid, claim: 'first' }));
    await writeFile(`${path}.first`, JSON.stringify({ pid: unusedPid, claim: 'second' }));
    expect((await contend(5)).holders).toHaveLength(1);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ pid: process.pid });
  });

  it('replaces a lock file that contains no claim', async () => {
    await writeFile(path, '');
    expect((await contend(3)).holders).toHaveLength(1);
  });

  it('replaces a holder whose pid now belongs to another process', async () => {
    const { startedAt } = identify(process.pid);
    const earlier = startedAt === undefined ? { pid: unusedPid } : { pid: process.pid, startedAt: 'boot/1' };
    await writeFile(path, JSON.stringify({ ...earlier, claim: 'earlier' }));
    await expect(lockDataDir(dataDir)).resolves.toBeDefined();
  });
});
