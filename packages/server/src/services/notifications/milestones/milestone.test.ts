import { describe, expect, it } from '@jest/globals';
import type { Reached } from '../../analytics/index.ts';
import {
  newestOfEach,
  stillToGive,
  withOneMoreCheer,
  worthTelling,
  type GivenMilestone,
} from './milestone.ts';

const dayMs = 86_400_000;
const now = 1_000 * dayMs;
const reached = (days: number, to: number, kind: Reached['kind'] = 'abstinence'): Reached => ({
  kind,
  days,
  from: to - days + 1,
  to,
  isConfirmed: true,
});
const held = (days: number, to: number, awardedAt = now): GivenMilestone => ({
  ...reached(days, to),
  id: `${days}-${to}`,
  userId: 'alice',
  version: 1,
  awardedAt,
});

describe('milestones that were given', () => {
  it('are listed once for each kind and length, the newest', () => {
    const all = [held(1, 10), held(3, 12), held(1, 20)];
    expect(newestOfEach(all).map(({ id }) => id)).toEqual(['3-12', '1-20']);
    expect(newestOfEach([...all].reverse()).map(({ id }) => id)).toEqual(['1-20', '3-12']);
  });

  it('are not given again for days of the same run', () => {
    const again = [reached(3, 13), reached(7, 13), reached(3, 17)];
    expect(stillToGive(again, [held(3, 12)])).toEqual([reached(7, 13), reached(3, 17)]);
  });

  it('are told of together, and not what is long over or was told of a short time ago', () => {
    const tell = (fresh: Reached[], before: GivenMilestone[] = []) =>
      worthTelling(fresh, { held: before, through: 100, now });
    expect(tell([reached(1, 98), reached(3, 100), reached(3, 100, 'under-limit')])).toEqual([
      reached(3, 100),
      reached(3, 100, 'under-limit'),
    ]);
    expect(tell([reached(3, 98)])).toEqual([]);
    expect(tell([reached(3, 100)], [held(3, 80, now - 29 * dayMs)])).toEqual([]);
    expect(tell([reached(3, 100)], [held(3, 80, now - 30 * dayMs)])).toHaveLength(1);
    expect(tell([reached(3, 100)], [held(1, 90)])).toHaveLength(1);
  });
});

describe('cheers of a sender', () => {
  it('are thirty in any 24 hours', () => {
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
});
