import { describe, expect, it } from '@jest/globals';
import { createConcurrencyLimit } from './concurrency-limit.ts';

/** Work that runs until the test finishes it. */
const controlled = () => {
  const started: number[] = [];
  const finishers = new Map<number, () => void>();
  const work = (id: number) => () =>
    new Promise<number>((resolve) => {
      started.push(id);
      finishers.set(id, () => {
        resolve(id);
      });
    });
  return { started, work, finish: (id: number) => finishers.get(id)?.() };
};

describe('createConcurrencyLimit', () => {
  it('runs at most `count` pieces of work and starts the others in the order of their calls', async () => {
    const { started, work, finish } = controlled();
    const run = createConcurrencyLimit(2);
    const results = [1, 2, 3, 4].map((id) => run(work(id)));
    expect(started).toEqual([1, 2]);
    finish(2);
    await results[1];
    expect(started).toEqual([1, 2, 3]);
    finish(1);
    await results[0];
    expect(started).toEqual([1, 2, 3, 4]);
    finish(3);
    finish(4);
    expect(await Promise.all(results)).toEqual([1, 2, 3, 4]);
  });

  it('releases the slot of failed work', async () => {
    const run = createConcurrencyLimit(1);
    const failure = run(() => Promise.reject(new RangeError('failed')));
    const next = run(() => Promise.resolve('next'));
    await expect(failure).rejects.toThrow('failed');
    expect(await next).toBe('next');
    expect(await run(() => Promise.resolve('later'))).toBe('later');
  });
});
