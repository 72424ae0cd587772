import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addToSpan, spanAt, type Span } from './span.ts';

const spanOf = ([first = 0, ...later]: readonly number[]): Span => {
  const span = spanAt(first);
  for (const instant of later) addToSpan(span, instant);
  return span;
};
const longest = (instants: readonly number[]) => {
  const sorted = [...instants].sort((a, b) => a - b);
  return Math.max(0, ...sorted.slice(1).map((instant, index) => instant - (sorted[index] ?? 0)));
};

describe('the span of a date', () => {
  it('is the first and last puff and the longest gap, or a length that none exceeds, in any order', () => {
    const instants = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(instants, (some) => {
        const { first, last, gapFrom, gapTo, gapIsExact } = spanOf(some);
        expect([first, last]).toEqual([Math.min(...some), Math.max(...some)]);
        expect(gapTo - gapFrom).toBeGreaterThanOrEqual(longest(some));
        const isTrue = gapTo - gapFrom === longest(some) && some.includes(gapFrom) && some.includes(gapTo);
        expect(gapIsExact && !isTrue).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['a single puff', [5], [5, 5], true],
    ['a puff after the last', [5, 9], [5, 9], true],
    ['a puff before the first', [5, 9, 0], [0, 5], true],
    ['a puff beside the longest gap', [0, 10, 14, 12], [0, 10], true],
    ['a puff in the longest gap', [0, 10, 14, 3], [0, 10], false],
    ['a puff at the end of the longest gap', [0, 10, 14, 10, 0], [0, 10], true],
    ['a shorter gap after a split', [0, 10, 3, 19], [0, 10], false],
    ['a gap as long as the one that was split', [0, 10, 3, 20], [10, 20], true],
  ])('with %s', (_what, instants, [gapFrom, gapTo], gapIsExact) => {
    expect(spanOf(instants)).toMatchObject({ gapFrom, gapTo, gapIsExact });
  });
});
