// @not-split: counts the reads of one process
import { describe, it } from '@jest/globals';
import { expectReadsNotToGrow } from './long-history.ts';

describe('statistics of ten years', () => {
  it('read as many documents for 8,000 puffs as for 400', () => expectReadsNotToGrow(400, 8_000));
});
