import { describe, expect, it } from '@jest/globals';
import { decideRefresh, isFreshSignIn, remainingMs, sessionsToEnd, utcDayOf } from './session.ts';

const second = 1_000;
const hour = 3_600 * second;
const day = 24 * hour;

const rotatedAt = Date.parse('2026-10-21T10:00:00Z');
const session = {
  refreshCounter: 5,
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
    ['the one before, its successor unused for two days', session, 4, 2 * day, 'repeat'],
    ['the one before, its successor unused for 59 days', session, 4, 59 * day, 'repeat'],
    ['the one before, in the last ms of the idle limit', session, 4, 60 * day - 1, 'repeat'],
    ['the one before, at the idle limit', session, 4, 60 * day, 'expired'],
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

  it('expires at the absolute limit, however often it was refreshed', () => {
    const old = { ...session, expiresAt: rotatedAt + day };
    expect(decideRefresh(old, 5, rotatedAt + day - 1)).toBe('rotate');
    expect(decideRefresh(old, 5, rotatedAt + day)).toBe('expired');
  });

  it('counts the grace period from a late first use', () => {
    const successorUsedAt = rotatedAt + 40 * day;
    const late = { ...session, successorUsedAt };
    expect(decideRefresh(late, 4, successorUsedAt + 60 * second - 1)).toBe('repeat');
    expect(decideRefresh(late, 4, successorUsedAt + 60 * second)).toBe('reused');
  });
});

describe('sessionsToEnd (SES-5)', () => {
  const on = (...ids: (string | null)[]) =>
    ids.map((id, number) => ({ number, device: { id, name: null, model: null } }));
  const numbers = ({
    replaced,
    evicted,
  }: ReturnType<typeof sessionsToEnd<ReturnType<typeof on>[number]>>) => ({
    replaced: replaced.map(({ number }) => number),
    evicted: evicted.map(({ number }) => number),
  });
  const tenOthers = on('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j');

  it.each([
    ['the session of the same device', on('a', 'b', null), 'a', [0], []],
    [
      'every session of the same device, where earlier versions left several',
      on('a', 'b', 'a'),
      'a',
      [0, 2],
      [],
    ],
    ['nothing for a new device', on('a', 'b'), 'c', [], []],
    ['nothing for a device without an id', on(null, null), null, [], []],
    ['the oldest of ten others', tenOthers, 'k', [], [0]],
    ['the oldest of ten others, without an id', tenOthers, null, [], [0]],
    ['of ten only the one that is replaced', tenOthers, 'j', [9], []],
  ])('%s', (_what, live, deviceId, replaced, evicted) => {
    expect(numbers(sessionsToEnd(live, deviceId))).toEqual({ replaced, evicted });
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
  it('is the earlier of the two limits, and never negative', () => {
    expect(remainingMs(session, rotatedAt)).toBe(60 * day);
    expect(remainingMs({ ...session, expiresAt: rotatedAt + 7 }, rotatedAt)).toBe(7);
    expect(remainingMs(session, rotatedAt + 61 * day)).toBe(0);
  });
});

describe('utcDayOf', () => {
  it('is a UTC day', () => {
    expect(utcDayOf(Date.parse('2026-10-21T23:59:59.999Z'))).toBe('2026-10-21');
  });
});
