import { describe, expect, it } from '@jest/globals';
import { run } from './model.ts';

describe('the write protocol of the puff log, at length', () => {
  it('is right in 100,000 random interleavings', () => {
    const failures: string[] = [];
    // The first few faults identify a broken protocol.
    for (let seed = 0; seed < 100_000 && failures.length < 10; seed++) {
      const { failure } = run(seed);
      if (failure !== undefined) failures.push(`seed ${seed}: ${failure}`);
    }
    expect(failures).toEqual([]);
  });
});
