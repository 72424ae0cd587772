import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { createTransferAllowance } from './transfer-allowance.ts';

const rate = { bytesPerSecond: 1_024, stallMs: 10_000 };
const checkMs = 2_000;

/** Checks a body every 2 s; true where it was never cut. */
const lives = (bytesInEachCheck: readonly number[]): boolean => {
  const allowance = createTransferAllowance(rate, { now: 0, bytes: 0 });
  let bytes = 0;
  return bytesInEachCheck.every((more, index) => allowance((index + 1) * checkMs, (bytes += more)));
};

describe('the time that a body has', () => {
  it('does not end while it arrives at 1 KB/s or more, for 5 minutes and longer', () => {
    const checks = fc.array(fc.integer({ min: 2_048, max: 60_000 }), { minLength: 1, maxLength: 200 });
    fc.assert(fc.property(checks, lives));
  });

  it('does not end for pauses of up to 8 s with 2 KB/s between them', () => {
    const pause = fc.integer({ min: 0, max: 4 }).map((length) => Array<number>(length).fill(0));
    const sending = fc.integer({ min: 4, max: 20 }).map((length) => Array<number>(length).fill(4_096));
    const body = fc.array(fc.tuple(pause, sending), { minLength: 1, maxLength: 20 });
    fc.assert(fc.property(body, (parts) => lives(parts.flat(2))));
  });

  it('ends after 10 s without a byte, however much came before', () => {
    const before = fc.array(fc.integer({ min: 2_048, max: 500_000 }), { maxLength: 50 });
    fc.assert(
      fc.property(before, (sent) => lives([...sent, 0, 0, 0, 0]) && !lives([...sent, 0, 0, 0, 0, 0])),
    );
  });

  it('ends for any body below the rate: 10 s of credit, and a second for each KB', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_047 }), (bytes) => {
        const costMs = checkMs - (bytes / 1_024) * 1_000;
        const checks = Math.ceil(rate.stallMs / costMs) + 1;
        return checks > 100_000 || !lives(Array<number>(checks).fill(bytes));
      }),
    );
  });
});
