import { describe, expect, it } from '@jest/globals';
import { createTurns } from './keyed-mutex.ts';

describe('createTurns', () => {
  it('runs one at a time of a key, in order, and goes on after a failure', async () => {
    const turns = createTurns({ now: () => 0 });
    const log: string[] = [];
    const work = (name: string) => async () => {
      log.push(`${name} begins`);
      await new Promise(setImmediate);
      log.push(`${name} ends`);
      if (name === 'b') throw new Error('b failed');
      return name;
    };
    const results = await Promise.allSettled([
      turns('key', work('a')),
      turns('key', work('b')),
      turns('key', work('c')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('lets other keys pass', async () => {
    const turns = createTurns({ now: () => 0 });
    let release = () => {};
    const held = turns('one', () => new Promise<void>((resolve) => (release = resolve)));
    expect(await turns('other', () => Promise.resolve('passed'))).toBe('passed');
    release();
    await held;
  });

  it('refuses work whose turn comes after 10 s', async () => {
    let now = 0;
    const turns = createTurns({ now: () => now });
    let release = () => {};
    const held = turns('key', () => new Promise<void>((resolve) => (release = resolve)));
    const late = turns('key', () => Promise.resolve('late')).catch((error: unknown) => error);
    await new Promise(setImmediate); // the first has begun
    now = 10_001;
    release();
    await held;
    expect(await late).toMatchObject({ code: 'overloaded' });
    expect(await turns('key', () => Promise.resolve('next'))).toBe('next');
  });
});
