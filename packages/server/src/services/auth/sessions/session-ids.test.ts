import { describe, expect, it } from '@jest/globals';
import { newId } from '../../../platform/ids.ts';
import { createSessionIds } from './session-ids.ts';

const [one, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];

describe('ids of sessions', () => {
  it('are authenticated, and have the length of every id', () => {
    const ids = createSessionIds([one]);
    const made = Array.from({ length: 200 }, () => ids.create());
    expect(new Set(made).size).toBe(200);
    for (const id of made) {
      expect(id).toMatch(/^[0-9a-z]{26}$/);
      expect(ids.isProven(id)).toBe(true);
    }
  });

  it('are not authenticated if they are invented or changed', () => {
    const ids = createSessionIds([one]);
    for (let count = 0; count < 1_000; count++) expect(ids.isProven(newId())).toBe(false);
    const id = ids.create();
    for (let at = 0; at < id.length; at++) {
      const changed = `${id.slice(0, at)}${id[at] === '0' ? '1' : '0'}${id.slice(at + 1)}`;
      expect(ids.isProven(changed)).toBe(false);
    }
    for (const bad of ['', id.slice(1), `${id}0`, id.toUpperCase().replace(/^/, 'É').slice(0, 26)])
      expect(ids.isProven(bad)).toBe(false);
  });

  it('are authenticated by the previous master key too', () => {
    const id = createSessionIds([one]).create();
    expect(createSessionIds([other, one]).isProven(id)).toBe(true);
    expect(createSessionIds([other]).isProven(id)).toBe(false);
  });
});
