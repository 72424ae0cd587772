import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seal, unseal } from './sealed.ts';

const key = randomBytes(32);

describe('seal', () => {
  it('opens under the same key and context alone', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), (bytes, context) => {
        const secret = Buffer.from(bytes);
        const sealed = seal(key, secret, context);
        expect(unseal(key, sealed, context)).toEqual(secret);
        expect(() => unseal(key, sealed, `${context}x`)).toThrow();
        expect(() => unseal(randomBytes(32), sealed, context)).toThrow();
      }),
    );
  });

  it('gives another text each time', () => {
    expect(seal(key, Buffer.from('x'), '')).not.toBe(seal(key, Buffer.from('x'), ''));
  });

  it('notices every changed bit, and a shortened text', () => {
    const bytes = Buffer.from(seal(key, Buffer.from('secret'), 'row'), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(() => unseal(key, changed.toString('base64url'), 'row')).toThrow();
    }
    for (let length = 0; length < bytes.length; length++)
      expect(() => unseal(key, bytes.subarray(0, length).toString('base64url'), 'row')).toThrow();
  });
});
