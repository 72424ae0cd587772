import { describe, expect, it } from '@jest/globals';
import { createPoller } from './poller.ts';

describe('createPoller', () => {
  it('runs one poll at a time, continues after a failed one, and stop waits for the last', async () => {
    const polls: { end: () => void; fail: (error: Error) => void }[] = [];
    const failed: unknown[] = [];
    const poller = createPoller({
      poll: () => new Promise((end, fail) => polls.push({ end, fail })),
      everyMs: 1_000_000,
      onFailed: (error) => failed.push(error),
    });
    poller.pollNow();
    poller.pollNow();
    expect(polls).toHaveLength(1);
    const error = new Error('the database is away');
    polls[0]!.fail(error);
    await poller.stop();
    expect(failed).toEqual([error]);

    poller.pollNow();
    expect(polls).toHaveLength(2);
    let isStopped = false;
    const stopped = poller.stop().then(() => (isStopped = true));
    await Promise.resolve();
    expect(isStopped).toBe(false);
    polls[1]!.end();
    await stopped;
    expect(failed).toHaveLength(1);
  });

  it('polls repeatedly until it is stopped', async () => {
    /** Resolves when a poller was stopped in its third poll; returns a reader of the number of polls. */
    const stopAfterThree = async () => {
      let count = 0;
      await new Promise<void>((resolve) => {
        const poller = createPoller({
          poll() {
            count += 1;
            if (count === 3) void poller.stop().then(resolve);
            return Promise.resolve();
          },
          everyMs: 1,
          onFailed: () => undefined,
        });
        poller.start();
      });
      return () => count;
    };
    const first = await stopAfterThree();
    await stopAfterThree();
    expect(first()).toBe(3);
  });
});
