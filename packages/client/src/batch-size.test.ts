import { describe, expect, test } from '@jest/globals';
import type { BatchPuffInput, BatchResult, UserStats } from '@pufftrack/contract';
import { ApiError, networkError, problemError } from './api-error.ts';
import { createPuffQueue } from './puff-queue.ts';
import { memoryPuffStorage } from './puff-storage.ts';
import { attemptTimeoutMs } from './transport.ts';

/** A link of so many bytes a second on which every connection ends after so many seconds, in simulated time. */
const slowLink = (link: { bytesPerSecond: number; endsAfterSeconds: number }) => {
  const stored = new Set<string>();
  const calls: { size: number; isCut: boolean }[] = [];
  let added = 0;
  const storage = memoryPuffStorage();
  const start = () =>
    createPuffQueue({
      storage,
      now: () => 0,
      newId: () => `00000000-0000-4000-8000-${String((added += 1)).padStart(12, '0')}`,
      remove: () => Promise.reject(new Error('nothing is removed here')),
      send: (puffs: BatchPuffInput[]) => {
        const body = JSON.stringify({ puffs });
        const seconds = body.length / link.bytesPerSecond;
        const isCut = seconds > link.endsAfterSeconds || seconds * 1000 > attemptTimeoutMs(30_000, body);
        calls.push({ size: puffs.length, isCut });
        if (isCut) return Promise.reject(networkError('cut'));
        const results = puffs.map(({ id }): BatchResult => {
          const status = stored.has(id) ? 'duplicate' : 'created';
          stored.add(id);
          return { id, status };
        });
        return Promise.resolve({ results, stats: {} as UserStats });
      },
    });
  return { start, stored, calls, link };
};

const addMany = async (queue: ReturnType<typeof createPuffQueue>, count: number) => {
  for (let i = 0; i < count; i += 1) await queue.add({ quantity: 1 });
};

describe('the size of a batch', () => {
  test('at 2 KB/s, 500 puffs get in without a cut where connections last', async () => {
    const { start, stored, calls } = slowLink({ bytesPerSecond: 2048, endsAfterSeconds: Infinity });
    const queue = start();
    await addMany(queue, 500);
    expect(await queue.flush()).toMatchObject({ created: 500, pending: 0, stoppedBy: undefined });
    expect(stored.size).toBe(500);
    expect(calls.every(({ isCut }) => !isCut)).toBe(true);
  });

  test('is halved after a cut, starts smaller after a restart, and grows again', async () => {
    const { start, stored, calls, link } = slowLink({ bytesPerSecond: 2048, endsAfterSeconds: 2 });
    const queue = start();
    await addMany(queue, 500);
    expect(await queue.flush()).toMatchObject({ created: 500, pending: 0, stoppedBy: undefined });
    expect(stored.size).toBe(500);
    expect(calls.slice(0, 3)).toEqual([
      { size: 100, isCut: true },
      { size: 50, isCut: true },
      { size: 25, isCut: false },
    ]);
    const afterCuts = calls.flatMap(({ size, isCut }, index) =>
      isCut ? [{ half: Math.floor(size / 2), next: calls[index + 1]?.size }] : [],
    );
    expect(afterCuts.map(({ next }) => next)).toEqual(afterCuts.map(({ half }) => half));

    const before = calls.length;
    const later = start();
    Object.assign(link, { endsAfterSeconds: Infinity, bytesPerSecond: 1e6 });
    await addMany(later, 6000);
    expect(await later.flush()).toMatchObject({ created: 6000, pending: 0 });
    const sizes = calls.slice(before).map(({ size }) => size);
    expect(sizes[0]).toBeLessThan(50);
    expect(Math.max(...sizes)).toBe(1000);
  });

  test.each([8, 20, 60])(
    'ends at one puff, which gets through where %i bytes fewer would not',
    async (spare) => {
      const one = JSON.stringify({ puffs: [{ quantity: 1, id: 'x'.repeat(36), timestamp: 'x'.repeat(29) }] });
      const { start, stored } = slowLink({
        bytesPerSecond: 2048,
        endsAfterSeconds: (one.length + spare) / 2048,
      });
      const queue = start();
      await addMany(queue, 12);
      for (let flushes = 0; flushes < 20 && stored.size < 12; flushes += 1) await queue.flush();
      expect(stored.size).toBe(12);
    },
  );

  test('does not change where no connection was made', async () => {
    const storage = memoryPuffStorage();
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    const sizes: number[] = [];
    const queue = createPuffQueue({
      storage,
      now: () => 0,
      newId: () => crypto.randomUUID(),
      remove: () => Promise.reject(new Error('nothing is removed here')),
      send: (puffs) => {
        sizes.push(puffs.length);
        return Promise.reject(networkError('offline', new TypeError('fetch failed', { cause: refused })));
      },
    });
    await addMany(queue, 120);
    for (let flushes = 0; flushes < 3; flushes += 1)
      expect(await queue.flush()).toMatchObject({ pending: 120, stoppedBy: { code: 'network' } });
    expect(sizes).toEqual([100, 100, 100]);
  });

  test.each([
    ['408 of the server', problemOf(408), true],
    ['408 of a proxy', new ApiError({ status: 408, code: 'network', message: '' }), true],
    ['504 of a proxy', new ApiError({ status: 504, code: 'network', message: '' }), true],
    ['502 of a proxy', new ApiError({ status: 502, code: 'network', message: '' }), false],
    ['429', problemOf(429), false],
  ])('after %s', async (_what, error, isHalved) => {
    const sizes: number[] = [];
    const queue = createPuffQueue({
      storage: memoryPuffStorage(),
      now: () => 0,
      newId: () => crypto.randomUUID(),
      remove: () => Promise.reject(new Error('nothing is removed here')),
      send: (puffs) => {
        sizes.push(puffs.length);
        return Promise.reject(error);
      },
    });
    await addMany(queue, 120);
    expect(await queue.flush()).toMatchObject({ pending: 120, stoppedBy: error });
    expect(sizes).toEqual(isHalved ? [100, 50, 25] : [100]);
  });
});

function problemOf(status: number) {
  const code = status === 429 ? 'rate-limited' : 'overloaded';
  const fields = { type: 't', title: 't', code, detail: 'd', requestId: 'r', instance: 'i' } as const;
  return problemError({ ...fields, status });
}

describe('the time of one attempt', () => {
  test.each([
    ['no body', undefined, 30_000],
    ['1 KB', 'x'.repeat(1024), 31_000],
    ['40 KB in two-byte characters', 'é'.repeat(20 * 1024), 70_000],
    ['512 KB: five minutes for the body', 'x'.repeat(512 * 1024), 330_000],
  ])('%s', (_what, body, expected) => {
    expect(attemptTimeoutMs(30_000, body)).toBe(expected);
  });
});
