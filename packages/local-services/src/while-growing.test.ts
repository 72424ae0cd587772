import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { whileGrowing } from './while-growing.ts';

const aborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });

describe('whileGrowing', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pufftrack-growing-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const limit = { limitMs: 400, onProgress: () => undefined };

  it('aborts a download to which nothing arrives', async () => {
    await expect(whileGrowing(directory, limit, aborted)).rejects.toThrow('nothing arrived');
  });

  it('lets one go on that takes longer but makes progress', async () => {
    const limitMs = 2_000;
    const download = async (signal: AbortSignal) => {
      for (const endsAt = performance.now() + 1.25 * limitMs; performance.now() < endsAt;) {
        await appendFile(join(directory, 'file'), 'x');
        await delay(20, undefined, { signal });
      }
      return 'whole';
    };
    await expect(whileGrowing(directory, { ...limit, limitMs }, download)).resolves.toBe('whole');
  });

  it("aborts with its caller's signal", async () => {
    const caller = new AbortController();
    const download = whileGrowing(directory, { ...limit, signal: caller.signal }, aborted);
    caller.abort(new Error('no longer wanted'));
    await expect(download).rejects.toThrow('no longer wanted');
  });
});
