import { describe, expect, it } from '@jest/globals';
import { ledgerCutoff, ledgerEntryOf, nextCleanupAt, requirePersonId } from './erasure-rules.ts';

describe('the next cleanup pass', () => {
  it.each([
    ['the first one found something', { passStartedAt: 1_000, found: 9 }, 16_000],
    [
      'the first one found nothing: writes of before may still live',
      { passStartedAt: 1_000, found: 0 },
      90_000,
    ],
    ['the last one found nothing', { passStartedAt: 90_000, found: 0 }, undefined],
    ['the last one found something', { passStartedAt: 90_000, found: 1 }, 105_000],
    ['a late one found nothing', { passStartedAt: 500_000, found: 0 }, undefined],
  ])('%s', (_what, pass, next) => {
    expect(nextCleanupAt({ createdAt: 0, ...pass })).toBe(next);
  });
});

describe('the ledger', () => {
  const masterKey = Buffer.alloc(32, 7);
  const person = { userId: 'a'.repeat(26), appleSub: 'sub' };

  it('has the same entry for the same person, and needs the master key for it', () => {
    const entry = ledgerEntryOf(masterKey, person);
    expect(ledgerEntryOf(masterKey, person)).toEqual(entry);
    const others = [
      ledgerEntryOf(Buffer.alloc(32, 8), person),
      ledgerEntryOf(masterKey, { userId: 'b'.repeat(26), appleSub: 'other' }),
      ledgerEntryOf(masterKey, { userId: person.appleSub, appleSub: person.userId }),
    ];
    for (const other of others) {
      expect(other.user).not.toBe(entry.user);
      expect(other.appleSub).not.toBe(entry.appleSub);
    }
    expect(ledgerEntryOf(masterKey, { ...person, appleSub: undefined }).appleSub).toBeNull();
  });

  it('is cut off 24 calendar months ago', () => {
    expect(ledgerCutoff(Date.parse('2028-10-21T10:00:00Z'))).toBe(Date.parse('2026-10-21T10:00:00Z'));
    expect(ledgerCutoff(Date.parse('2028-02-29T10:00:00Z'))).toBe(Date.parse('2026-03-01T10:00:00Z'));
  });
});

it.each([undefined, null, '', 'a', 7, {}, { $ne: 'a' }, 'A'.repeat(26), `${'a'.repeat(26)}\n`])(
  'an erasure rejects %p as user id',
  (userId) => {
    expect(() => requirePersonId(userId)).toThrow('exactly one person');
  },
);

it('an erasure accepts a generated user id', () => {
  expect(requirePersonId('0123456789abcdefghjkmnpqrs')).toBe('0123456789abcdefghjkmnpqrs');
});
