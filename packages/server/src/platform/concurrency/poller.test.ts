import { describe, expect, it } from '@jest/globals';
import { createWatch } from './poller.ts';

describe('a watch', () => {
  it('makes one look at a time, goes on after one that failed, and waits for the last', async () => {
    const looks: { end: () => void; fail: (error: Error) => void }[] = [];
    const failed: unknown[] = [];
    const watch = createWatch({
      look: () => new Promise((end, fail) => looks.push({ end, fail })),
      everyMs: 1_000_000,
      onFailed: (error) => failed.push(error),
    });
    watch.soon();
    watch.soon();
    expect(looks).toHaveLength(1);
    const error = new Error('the database is away');
    looks[0]!.fail(error);
    await watch.stop();
    expect(failed).toEqual([error]);

    watch.soon();
    expect(looks).toHaveLength(2);
    let isStopped = false;
    const stopped = watch.stop().then(() => (isStopped = true));
    await Promise.resolve();
    expect(isStopped).toBe(false);
    looks[1]!.end();
    await stopped;
    expect(failed).toHaveLength(1);
  });

  it('looks by itself until it is stopped', async () => {
    /** Resolves when a watch has looked three times and was stopped; answers how often it looked, also later. */
    const three = async () => {
      let count = 0;
      await new Promise<void>((resolve) => {
        const watch = createWatch({
          look() {
            count += 1;
            if (count === 3) void watch.stop().then(resolve);
            return Promise.resolve();
          },
          everyMs: 1,
          onFailed: () => undefined,
        });
        watch.start();
      });
      return () => count;
    };
    const first = await three();
    await three();
    expect(first()).toBe(3);
  });
});
