import { describe, expect, it } from '@jest/globals';
import { newId } from '../../../platform/ids.ts';
import { isRefreshTokenOf, readRefreshToken, refreshTokenOf } from './refresh-token.ts';

const key = Buffer.alloc(32, 1);
const name = { sessionId: newId(), counter: 12 };
const token = refreshTokenOf(name, key);

describe('a refresh token (SES-2)', () => {
  it('is deterministic, names session and counter, and has a MAC of 256 bits', () => {
    expect(refreshTokenOf(name, key)).toBe(token);
    expect(token).toMatch(/^ptr_[0-9a-z]{26}\.12\.[\w-]{43}$/);
    expect(readRefreshToken(token)).toEqual(name);
    expect(isRefreshTokenOf(token, name, key)).toBe(true);
    expect(isRefreshTokenOf(token, name, Buffer.alloc(32, 2))).toBe(false);
  });

  it('is invalid with another counter or session', () => {
    const mac = token.slice(-43);
    for (const forged of [
      { ...name, counter: 11 },
      { ...name, counter: 13 },
      { ...name, sessionId: newId() },
    ])
      expect(isRefreshTokenOf(`ptr_${forged.sessionId}.${forged.counter}.${mac}`, forged, key)).toBe(false);
  });

  it.each([
    '',
    'ptr_',
    token.slice(4),
    `${token}=`,
    `${token} `,
    token.slice(0, -1),
    token.replace('.12.', '.012.'),
    token.replace('.12.', '.0.'),
    token.replace('.12.', '.-12.'),
    token.replace('.12.', '.12345678901.'),
    token.toUpperCase(),
    'eyJhbGciOiJFUzI1NiJ9.e30.x',
  ])('is malformed: %j', (text) => {
    expect(readRefreshToken(text)).toBeUndefined();
  });
});
