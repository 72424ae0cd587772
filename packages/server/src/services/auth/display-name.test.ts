import { describe, expect, it } from '@jest/globals';
import { displayNameOf } from './display-name.ts';

describe('displayNameOf (SIWA-13)', () => {
  it.each([
    [undefined, null],
    [null, null],
    [{}, null],
    [{ firstName: '', lastName: null }, null],
    [{ firstName: '  ' }, null],
    [{ firstName: 'Alice' }, 'Alice'],
    [{ lastName: 'Example' }, 'Example'],
    [{ firstName: ' Alice ', lastName: ' Example ' }, 'Alice Example'],
    [{ firstName: 'a'.repeat(50), lastName: 'Example' }, 'a'.repeat(50)],
    [{ firstName: 'a'.repeat(49), lastName: 'Example' }, 'a'.repeat(49)],
    [{ firstName: `${'a'.repeat(49)}🙂` }, 'a'.repeat(49)],
    [{ firstName: `${'a'.repeat(48)}🙂` }, `${'a'.repeat(48)}🙂`],
  ])('%j', (name, whole) => {
    expect(displayNameOf(name)).toBe(whole);
  });
});
