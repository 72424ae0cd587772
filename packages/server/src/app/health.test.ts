import { describe, expect, it } from '@jest/globals';
import { sampled } from './health.ts';

/** A probe whose runs end when the test says so. */
const controlledProbe = () => {
  const runs: ((result: boolean) => void)[] = [];
  let now = 0;
  const read = sampled(() => new Promise<boolean>((resolve) => runs.push(resolve)), {
    everyMs: 1_000,
    now: () => now,
  });
  return { runs, read, advance: (ms: number) => (now += ms) };
};

describe('the database probe of /health/ready', () => {
  it('runs once for a thousand calls within a second', async () => {
    const { runs, read, advance } = controlledProbe();
    const first = Array.from({ length: 500 }, () => read());
    expect(runs).toHaveLength(1);
    runs[0]?.(true);
    expect(new Set(await Promise.all(first))).toEqual(new Set([true]));
    advance(999);
    const later = Array.from({ length: 500 }, () => read());
    expect(new Set(await Promise.all(later))).toEqual(new Set([true]));
    expect(runs).toHaveLength(1);
  });

  it('runs again after a second, with the new result', async () => {
    const { runs, read, advance } = controlledProbe();
    const first = read();
    runs[0]?.(true);
    expect(await first).toBe(true);
    advance(1_000);
    const second = read();
    runs[1]?.(false);
    expect(await second).toBe(false);
  });

  it('does not start a second run while one takes long', async () => {
    const { runs, read, advance } = controlledProbe();
    const first = read();
    advance(5_000);
    const second = read();
    expect(runs).toHaveLength(1);
    runs[0]?.(true);
    expect(await Promise.all([first, second])).toEqual([true, true]);
  });
});
