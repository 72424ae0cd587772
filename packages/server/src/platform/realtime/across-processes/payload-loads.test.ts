import { beforeEach, describe, expect, it } from '@jest/globals';
import { setImmediate } from 'node:timers/promises';
import { createPayloadLoads } from './payload-loads.ts';

describe('loads of payloads', () => {
  let started: unknown[];
  let releases: (() => void)[];
  let loads: ReturnType<typeof createPayloadLoads>;
  beforeEach(() => {
    started = [];
    releases = [];
    loads = createPayloadLoads((event, reference) => {
      started.push([event, reference]);
      const number = started.length;
      return new Promise((resolve) => {
        releases.push(() => {
          resolve({ number });
        });
      });
    });
  });
  const load = (event: string, reference: unknown) => {
    const due = loads(event, reference);
    if (!due) throw new Error('too many are waiting');
    return due;
  };

  it('load a reference once for the events that arrive together, and apart for other events and references', async () => {
    const together = [load('a', { id: 1 })(), load('a', { id: 1 })()];
    const others = [load('a', { id: 2 })(), load('b', { id: 1 })()];
    expect(started).toEqual([
      ['a', { id: 1 }],
      ['a', { id: 2 }],
      ['b', { id: 1 }],
    ]);
    for (const release of releases) release();
    expect(await Promise.all(together)).toEqual([{ number: 1 }, { number: 1 }]);
    expect(await Promise.all(others)).toEqual([{ number: 2 }, { number: 3 }]);
  });

  it('load again for an event that arrives while a load is under way, once for all of those', async () => {
    const first = load('a', { id: 1 })();
    await setImmediate();
    const later = [load('a', { id: 1 }), load('a', { id: 1 }), load('a', { id: 1 })];
    expect(started).toHaveLength(1);
    const all = [first, ...later.map((due) => due())];
    expect(started).toHaveLength(2);
    for (const release of releases) release();
    expect(await Promise.all(all)).toEqual([{ number: 1 }, ...Array<object>(3).fill({ number: 2 })]);
  });

  it('have at most 16 under way, and start the others in their order', async () => {
    const all = Array.from({ length: 40 }, (_, id) => load('a', { id })());
    for (let ended = 0; ended < 40; ended += 1) {
      expect(started).toHaveLength(Math.min(40, 16 + ended));
      releases[ended]?.();
      await setImmediate();
    }
    expect(started.map((one) => (one as [string, { id: number }])[1].id)).toEqual(all.map((_, id) => id));
    await Promise.all(all);
  });

  it('have a bound of those that wait, and take new ones once they are done', async () => {
    const all: Promise<unknown>[] = [];
    let refused: unknown;
    for (let id = 0; id < 10_100 && refused === undefined; id += 1) {
      const due = loads('a', { id });
      if (due) all.push(due());
      else refused = id;
    }
    expect(refused).toBe(10_000);
    while (releases.length > 0) {
      for (const release of releases.splice(0)) release();
      await setImmediate();
    }
    await Promise.all(all);
    expect(loads('a', {})).toBeDefined();
  });

  it('load again after a failure', async () => {
    let calls = 0;
    const failing = createPayloadLoads(() => {
      calls += 1;
      return Promise.reject(new Error('away'));
    });
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      await expect(failing('a', {})?.()).rejects.toThrow('away');
      expect(calls).toBe(attempt);
    }
  });
});
