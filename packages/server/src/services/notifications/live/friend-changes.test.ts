import { describe, expect, it } from '@jest/globals';
import type { Friend } from '@pufftrack/contract';
import { friendChanges } from './friend-changes.ts';

const friend = (userId: string, over: Partial<Friend> = {}): Friend => ({
  userId,
  name: userId,
  since: '2026-10-21T10:00:00.000Z',
  shareLevel: 'live',
  theirShareLevel: 'summary',
  muted: false,
  summary: null,
  ...over,
});
const summary = (todayCount: number): Friend['summary'] => ({
  todayCount,
  dailyLimit: null,
  average7: null,
  changeVsPreviousWeek: null,
  streakDays: 0,
  underLimitDays: 0,
});

describe('friendChanges', () => {
  it('lists removed, added and changed friends', () => {
    const lowered = friend('ann', { theirShareLevel: 'none' });
    expect(friendChanges([friend('ann'), friend('ben')], [lowered, friend('cleo')])).toEqual({
      removed: ['ben'],
      updated: [lowered, friend('cleo')],
    });
  });

  it('lists a summary that appears or disappears, and no change of its numbers', () => {
    const [one, two] = [friend('ann', { summary: summary(1) }), friend('ann', { summary: summary(2) })];
    expect(friendChanges([one], [two])).toEqual({ removed: [], updated: [] });
    expect(friendChanges([friend('ann')], [two]).updated).toEqual([two]);
    expect(friendChanges([one], [friend('ann')]).updated).toEqual([friend('ann')]);
  });
});
