import { describe, expect, it } from '@jest/globals';
import { createKeyedMutex } from './keyed-mutex.ts';

describe('createKeyedMutex', () => {
  it('runs work of one key one at a time, in order, and continues after a failure', async () => {
    const runExclusive = createKeyedMutex({ now: () => 0 });
    const log: string[] = [];
    const work = (name: string) => async () => {
      log.push(`${name} begins`);
      await new Promise(setImmediate);
      log.push(`${name} ends`);
      if (name === 'b') throw new Error('b failed');
      return name;
    };
    const results = await Promise.allSettled([
      runExclusive('key', work('a')),
      runExclusive('key', work('b')),
      runExclusive('key', work('c')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('runs work of different keys concurrently', async () => {
    const runExclusive = createKeyedMutex({ now: () => 0 });
    let release = () => {};
    const blocked = runExclusive('one', () => new Promise<void>((resolve) => (release = resolve)));
    expect(await runExclusive('other', () => Promise.resolve('done'))).toBe('done');
    release();
    await blocked;
  });

  it('rejects work that has waited for more than 10 s', async () => {
    let now = 0;
    const runExclusive = createKeyedMutex({ now: () => now });
    let release = () => {};
    const blocked = runExclusive('key', () => new Promise<void>((resolve) => (release = resolve)));
    const late = runExclusive('key', () => Promise.resolve('late')).catch((error: unknown) => error);
    await new Promise(setImmediate); // the first has begun
    now = 10_001;
    release();
    await blocked;
    expect(await late).toMatchObject({ code: 'overloaded' });
    expect(await runExclusive('key', () => Promise.resolve('next'))).toBe('next');
  });
});
