import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { quotaWindowMs, requireDailyQuota } from './daily-quota.ts';

const now = 10 * quotaWindowMs;
const rejection = (usedAt: readonly number[], max: number, at = now) => {
  try {
    requireDailyQuota(usedAt, { max, what: 'invites', now: at });
    return undefined;
  } catch (error) {
    return error as { code: string; message: string; details: { retryAfterSeconds: number } };
  }
};

describe('a daily quota', () => {
  it.each([
    ['no use', [], false],
    ['one use fewer than allowed', [now - 5, now - 4], false],
    ['as many uses as allowed', [now - 5, now - 4, now - 3], true],
    ['more uses than allowed', [now - 6, now - 5, now - 4, now - 3], true],
    ['uses of which one left the window just now', [now - quotaWindowMs, now - 4, now - 3], false],
    ['uses of which one leaves the window next', [now - quotaWindowMs + 1, now - 4, now - 3], true],
  ])('with %s: rejected %s', (_what, usedAt, rejects) => {
    expect(rejection(usedAt, 3) !== undefined).toBe(rejects);
  });

  it('is rejected as rate-limited, with the limit in the detail', () => {
    expect(rejection([now - 1], 1)).toMatchObject({
      code: 'rate-limited',
      message: 'At most 1 invites are allowed in 24 hours.',
      details: { retryAfterSeconds: 86_400 },
    });
  });

  const sortedUses = fc
    .array(fc.integer({ min: now - 2 * quotaWindowMs, max: now }), { maxLength: 30 })
    .map((uses) => uses.sort((one, other) => one - other));
  const maximum = fc.integer({ min: 1, max: 20 });

  it('rejects exactly when the last 24 hours contain the maximum', () => {
    fc.assert(
      fc.property(sortedUses, maximum, (usedAt, max) => {
        const recent = usedAt.filter((at) => at > now - quotaWindowMs);
        expect(rejection(usedAt, max) !== undefined).toBe(recent.length >= max);
      }),
    );
  });

  it('is free again after Retry-After, and not a second earlier', () => {
    fc.assert(
      fc.property(sortedUses, maximum, (usedAt, max) => {
        const waitMs = (rejection(usedAt, max)?.details.retryAfterSeconds ?? 0) * 1_000;
        expect(rejection(usedAt, max, now + waitMs)).toBeUndefined();
        const isRejectedBefore = rejection(usedAt, max, now + waitMs - 1_001) !== undefined;
        expect(isRejectedBefore || waitMs <= 1_000).toBe(true);
      }),
    );
  });
});
