import { expect, it } from '@jest/globals';
import { dayMs } from '../../../domain/durations.ts';
import { withOneMoreCheer } from './cheer-quota.ts';

const now = 1_000 * dayMs;

it('withOneMoreCheer allows 30 cheers in any 24 hours', () => {
  const sent = Array.from({ length: 30 }, (_, index) => now - dayMs + 1_500 + index);
  expect(withOneMoreCheer(sent.slice(1), now)).toHaveLength(30);
  expect(() => withOneMoreCheer(sent, now)).toThrow(
    expect.objectContaining({
      code: 'rate-limited',
      details: expect.objectContaining({ retryAfterSeconds: 2 }),
    }),
  );
  expect(withOneMoreCheer(sent, now + 1_500)).toHaveLength(30);
});
