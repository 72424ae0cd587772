import { describe, expect, it } from '@jest/globals';
import { groupBy } from './group-by.ts';

describe('groupBy', () => {
  const rows = [
    { person: 'b', rev: 1 },
    { person: 'a', rev: 2 },
    { person: 'b', rev: 3 },
  ];

  it('keeps the order of the keys and of the rows of each key', () => {
    expect([...groupBy(rows, ({ person }) => person)]).toEqual([
      ['b', [rows[0], rows[2]]],
      ['a', [rows[1]]],
    ]);
  });

  it('maps each row to its value', () => {
    const groups = groupBy(
      rows,
      ({ person }) => person,
      ({ rev }) => rev,
    );
    expect(Object.fromEntries(groups)).toEqual({ a: [2], b: [1, 3] });
  });

  it('keeps a key apart from the keys that an object has by itself', () => {
    expect([...groupBy(['constructor', '__proto__'], (key) => key).keys()]).toEqual([
      'constructor',
      '__proto__',
    ]);
  });
});
