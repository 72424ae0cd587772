import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { reseal, seal, unseal, type MasterKeys } from './sealed.ts';

const keys: MasterKeys = [randomBytes(32)];

describe('seal', () => {
  it('unseals only with the same key and context', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), (bytes, context) => {
        const secret = Buffer.from(bytes);
        const sealed = seal(keys, secret, context);
        expect(unseal(keys, sealed, context)).toEqual(secret);
        expect(() => unseal(keys, sealed, `${context}x`)).toThrow();
        expect(() => unseal([randomBytes(32)], sealed, context)).toThrow();
      }),
    );
  });

  it('returns a different text each time', () => {
    expect(seal(keys, Buffer.from('x'), '')).not.toBe(seal(keys, Buffer.from('x'), ''));
  });

  it('detects every changed bit, and a truncated text', () => {
    const bytes = Buffer.from(seal(keys, Buffer.from('secret'), 'row'), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(() => unseal(keys, changed.toString('base64url'), 'row')).toThrow();
    }
    for (let length = 0; length < bytes.length; length++)
      expect(() => unseal(keys, bytes.subarray(0, length).toString('base64url'), 'row')).toThrow();
  });

  it('unseals with the previous key too, and seals with the current one', () => {
    const next: MasterKeys = [randomBytes(32), keys[0]];
    const secret = Buffer.from('secret');
    const old = seal(keys, secret, 'row');
    expect(unseal(next, old, 'row')).toEqual(secret);
    const moved = reseal(next, old, 'row') ?? '';
    expect(unseal([next[0]], moved, 'row')).toEqual(secret);
    expect(() => unseal(keys, moved, 'row')).toThrow();
    expect(reseal(next, moved, 'row')).toBeUndefined();
    expect(() => reseal(next, old, 'another row')).toThrow();
  });
});
