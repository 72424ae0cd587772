import { describe, expect, it } from '@jest/globals';
import { dayMs } from '../../../domain/durations.ts';
import type { ReachedMilestone } from './milestone-rules.ts';
import { latestOfEach, notYetAwarded, shouldNotify, type AwardedMilestone } from './milestone.ts';

const now = 1_000 * dayMs;
const reached = (
  days: number,
  to: number,
  kind: ReachedMilestone['kind'] = 'abstinence',
): ReachedMilestone => ({
  kind,
  days,
  from: to - days + 1,
  to,
  isConfirmed: true,
});
const awarded = (days: number, to: number, awardedAt = now): AwardedMilestone => ({
  ...reached(days, to),
  id: `${days}-${to}`,
  userId: 'alice',
  version: 1,
  awardedAt,
});

describe('latestOfEach', () => {
  it('keeps the latest milestone of each kind and length, in the given order', () => {
    const all = [awarded(1, 10), awarded(3, 12), awarded(1, 20)];
    expect(latestOfEach(all).map(({ id }) => id)).toEqual(['3-12', '1-20']);
    expect(latestOfEach([...all].reverse()).map(({ id }) => id)).toEqual(['1-20', '3-12']);
  });
});

describe('notYetAwarded', () => {
  it('leaves out milestones that are awarded for days of the same run', () => {
    const again = [reached(3, 13), reached(7, 13), reached(3, 17)];
    expect(notYetAwarded(again, [awarded(3, 12)])).toEqual([reached(7, 13), reached(3, 17)]);
  });
});

describe('shouldNotify', () => {
  const notified = (fresh: ReachedMilestone[], before: AwardedMilestone[] = []) =>
    fresh.filter((one) => shouldNotify(one, { fresh, awarded: before, through: 100, now }));

  it('accepts only the longest of each kind', () => {
    expect(notified([reached(1, 98), reached(3, 100), reached(3, 100, 'under-limit')])).toEqual([
      reached(3, 100),
      reached(3, 100, 'under-limit'),
    ]);
  });

  it('rejects a milestone whose days ended before yesterday', () => {
    expect(notified([reached(3, 99)])).toHaveLength(1);
    expect(notified([reached(3, 98)])).toEqual([]);
  });

  it('rejects a milestone that was awarded for another run less than 30 days ago', () => {
    expect(notified([reached(3, 100)], [awarded(3, 80, now - 29 * dayMs)])).toEqual([]);
    expect(notified([reached(3, 100)], [awarded(3, 80, now - 30 * dayMs)])).toHaveLength(1);
    expect(notified([reached(3, 100)], [awarded(1, 90)])).toHaveLength(1);
  });
});
