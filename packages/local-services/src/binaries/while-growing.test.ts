import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { appendFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { whileGrowing } from './while-growing.ts';

const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });

/** A clock that advances by `stepMs` at each measurement and then calls `onMeasured` with their number. */
const steppingClock = (stepMs: number, onMeasured: (count: number) => void = () => undefined) => {
  let calls = -1;
  return () => {
    calls++;
    if (calls > 0) onMeasured(calls);
    return calls * stepMs;
  };
};

describe('whileGrowing', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pufftrack-growing-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const limitMs = 1_000;
  const options = { limitMs, onProgress: () => undefined };

  it('aborts a download that receives no data for the limit', async () => {
    const download = whileGrowing(directory, { ...options, now: steppingClock(limitMs / 4) }, untilAborted);
    await expect(download).rejects.toThrow('no data received for 1 s');
  });

  it('aborts a download that stops growing after a while', async () => {
    const now = steppingClock(0.75 * limitMs, (count) => {
      if (count <= 3) appendFileSync(join(directory, 'file'), 'x');
    });
    await expect(whileGrowing(directory, { ...options, now }, untilAborted)).rejects.toThrow('no data');
  });

  it('does not abort a download that grows but takes longer than the limit', async () => {
    let now = () => 0;
    const download = (signal: AbortSignal) =>
      Promise.race([
        untilAborted(signal),
        new Promise<string>((resolve) => {
          now = steppingClock(0.75 * limitMs, (count) => {
            appendFileSync(join(directory, 'file'), 'x');
            if (count === 8) resolve('complete');
          });
        }),
      ]);
    const result = whileGrowing(directory, { ...options, now: () => now() }, download);
    await expect(result).resolves.toBe('complete');
  });

  it('reports the size every two seconds at most and after another megabyte', async () => {
    const reported: number[] = [];
    const now = steppingClock(limitMs / 2, (count) => {
      if (count <= 6) appendFileSync(join(directory, 'file'), Buffer.alloc(400_000));
    });
    const onProgress = (bytes: number) => void reported.push(bytes);
    await expect(whileGrowing(directory, { limitMs, onProgress, now }, untilAborted)).rejects.toThrow();
    // The measurement at 2 s sees three appended blocks, the one at 4 s all six.
    expect(reported).toEqual([1_200_000, 2_400_000]);
  });

  it("aborts with its caller's signal", async () => {
    const caller = new AbortController();
    const download = whileGrowing(directory, { ...options, signal: caller.signal }, untilAborted);
    caller.abort(new Error('no longer wanted'));
    await expect(download).rejects.toThrow('no longer wanted');
  });
});
