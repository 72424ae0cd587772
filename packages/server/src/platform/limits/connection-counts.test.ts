import { describe, expect, it } from '@jest/globals';
import { createConnectionCounts } from './connection-counts.ts';

describe('connection counts', () => {
  it('refuse beyond the bound of a key, and take one more for each that closes', () => {
    const counts = createConnectionCounts({ perKey: 2, total: 10 });
    const close = counts.open('a');
    expect(counts.open('a')).toBeDefined();
    expect(counts.open('a')).toBeUndefined();
    expect(counts.open('b')).toBeDefined();
    expect(counts.total()).toBe(3);
    close?.();
    close?.(); // counts once
    expect(counts.total()).toBe(2);
    expect(counts.open('a')).toBeDefined();
    expect(counts.open('a')).toBeUndefined();
  });

  it('refuse every key beyond the bound of all', () => {
    const counts = createConnectionCounts({ perKey: 2, total: 3 });
    const closes = ['a', 'b', 'c'].map((key) => counts.open(key));
    expect(counts.open('d')).toBeUndefined();
    closes[0]?.();
    expect(counts.open('d')).toBeDefined();
  });
});
