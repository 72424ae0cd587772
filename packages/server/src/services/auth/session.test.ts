import { describe, expect, it } from '@jest/globals';
import { decideRefresh, isFreshSignIn, remainingMs, utcDayOf } from './session.ts';

const second = 1_000;
const hour = 3_600 * second;
const day = 24 * hour;

const rotatedAt = Date.parse('2026-10-21T10:00:00Z');
const session = {
  refreshCounter: 5,
  rotatedAt,
  successorUsedAt: null as number | null,
  idleExpiresAt: rotatedAt + 60 * day,
  expiresAt: rotatedAt + 300 * day,
  endedAt: null as number | null,
};
const used = { ...session, successorUsedAt: rotatedAt + hour };

describe('decideRefresh (SES-3, SES-4)', () => {
  it.each([
    ['the current one', session, 5, 0, 'rotate'],
    ['the current one, much later', session, 5, 59 * day, 'rotate'],
    ['the one before', session, 4, 0, 'repeat'],
    ['the one before, its successor unused for a day', session, 4, day, 'repeat'],
    ['the one before, in the last ms of its grace', session, 4, day + 60 * second - 1, 'repeat'],
    ['the one before, after its grace', session, 4, day + 60 * second, 'reused'],
    ['the one before, 60 s after its successor was used', used, 4, hour + 60 * second - 1, 'repeat'],
    ['the one before, 61 s after its successor was used', used, 4, hour + 60 * second, 'reused'],
    ['two rotations old', session, 3, 0, 'reused'],
    ['two rotations old, inside those 60 s', used, 3, hour + 1, 'reused'],
    ['the first', session, 1, 0, 'reused'],
    ['one not given out yet', session, 6, 0, 'unknown'],
    ['the current one, idle for 60 days', session, 5, 60 * day, 'expired'],
    ['an old one, idle for 60 days', session, 1, 60 * day, 'expired'],
    ['any, of an ended session', { ...session, endedAt: rotatedAt }, 5, 0, 'ended'],
  ] as const)('%s', (_name, of, counter, after, decision) => {
    expect(decideRefresh(of, counter, rotatedAt + after)).toBe(decision);
  });

  it('ends at the absolute end, however often it was refreshed', () => {
    const old = { ...session, expiresAt: rotatedAt + day };
    expect(decideRefresh(old, 5, rotatedAt + day - 1)).toBe('rotate');
    expect(decideRefresh(old, 5, rotatedAt + day)).toBe('expired');
  });

  it('counts a late first use from the end of the day of grace', () => {
    const late = { ...session, successorUsedAt: rotatedAt + 3 * day };
    expect(decideRefresh(late, 4, rotatedAt + 3 * day + 1)).toBe('reused');
  });
});

describe('isFreshSignIn (SES-9)', () => {
  it.each([
    ['now', 0, true],
    ['in the last ms of 5 minutes', 300 * second - 1, true],
    ['after 5 minutes', 300 * second, false],
    ['an hour later', hour, false],
    ['before it, by a clock that was set back', -1, false],
  ])('%s', (_name, after, fresh) => {
    expect(isFreshSignIn({ authenticatedAt: rotatedAt }, rotatedAt + after)).toBe(fresh);
  });
});

describe('remainingMs', () => {
  it('is the nearer of the two ends, and never negative', () => {
    expect(remainingMs(session, rotatedAt)).toBe(60 * day);
    expect(remainingMs({ ...session, expiresAt: rotatedAt + 7 }, rotatedAt)).toBe(7);
    expect(remainingMs(session, rotatedAt + 61 * day)).toBe(0);
  });
});

describe('utcDayOf', () => {
  it('is a day and nothing finer', () => {
    expect(utcDayOf(Date.parse('2026-10-21T23:59:59.999Z'))).toBe('2026-10-21');
  });
});
