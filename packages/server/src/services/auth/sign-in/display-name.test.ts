import { describe, expect, it } from '@jest/globals';
import { displayNameOf } from './display-name.ts';

const family = '👨‍👩‍👧‍👦';

describe('displayNameOf (SIWA-13)', () => {
  it.each([
    [undefined, null],
    [{}, null],
    [{ firstName: undefined, lastName: undefined }, null],
    [{ firstName: 'Alice' }, 'Alice'],
    [{ lastName: 'Example' }, 'Example'],
    [{ firstName: 'Alice', lastName: 'Example' }, 'Alice Example'],
    [{ firstName: 'a'.repeat(50), lastName: 'Example' }, 'a'.repeat(50)],
    [{ firstName: 'a'.repeat(49), lastName: 'Example' }, 'a'.repeat(49)],
    [{ firstName: 'a'.repeat(49), lastName: '🙂' }, 'a'.repeat(49)],
    [{ firstName: 'a'.repeat(48), lastName: '🙂' }, `${'a'.repeat(48)} 🙂`],
    [{ firstName: 'a'.repeat(43), lastName: family }, 'a'.repeat(43)],
    [{ firstName: 'a'.repeat(42), lastName: family }, `${'a'.repeat(42)} ${family}`],
  ])('%j', (name, whole) => {
    expect(displayNameOf(name)).toBe(whole);
  });
});
