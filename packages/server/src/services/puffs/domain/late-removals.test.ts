import { describe, expect, it } from '@jest/globals';
import type { CountedPuff } from './log-record.ts';
import { removesLate, lateRemovalsOf } from './late-removals.ts';

const hour = 3_600_000;
const puff = (parts: { date?: number; hour?: number; quantity?: number } = {}): CountedPuff => {
  const { date = 100, hour: wallHour = 9, quantity = 2 } = parts;
  return {
    timestamp: (date * 24 + wallHour) * hour,
    wall: { dayNumber: date, hour: wallHour },
    quantity,
  };
};

describe('a removal from a day', () => {
  const late = puff().timestamp + 24 * hour + 1;

  it.each<[string, CountedPuff | null, CountedPuff | null, boolean]>([
    ['a deletion', puff(), null, true],
    ['a restore', null, puff(), false],
    ['a lower quantity', puff(), puff({ quantity: 1 }), true],
    ['a higher quantity', puff(), puff({ quantity: 3 }), false],
    ['a move to the next day', puff(), puff({ date: 101 }), true],
    ['a move within the day', puff(), puff({ hour: 11 }), true],
    ['a move within the hour', puff(), { ...puff(), timestamp: puff().timestamp + 1 }, false],
  ])('is late after 24 hours: %s', (_name, before, after, takes) => {
    expect(removesLate(before, after, late)).toBe(takes);
    expect(removesLate(before, after, late - 1)).toBe(false);
  });
});

describe('the late removals of a date', () => {
  const all = 2 ** 24 - 1;
  /** By the hour at which days start: whether this date's day has lost something, and whether the one before has. */
  const lost = (standing: CountedPuff | undefined) => {
    const { day, eve } = lateRemovalsOf(puff(), standing);
    expect(day & eve).toBe(0);
    return [day, eve];
  };

  it.each<[string, CountedPuff | undefined, number[]]>([
    ['is all of a deleted puff, to the day that it stood on', undefined, [2 ** 10 - 1, all - (2 ** 10 - 1)]],
    ['is nothing of one that is back', puff(), [0, 0]],
    ['is nothing of one that is back and more', puff({ quantity: 5 }), [0, 0]],
    ['is all of one that is back with less', puff({ quantity: 1 }), [2 ** 10 - 1, all - (2 ** 10 - 1)]],
    ['is all of one that is on another date', puff({ date: 101 }), [2 ** 10 - 1, all - (2 ** 10 - 1)]],
    ['is of one that went on, to days that start in between', puff({ hour: 11 }), [0, 2 ** 10 + 2 ** 11]],
    ['is of one that went back, to days that start in between', puff({ hour: 7 }), [2 ** 8 + 2 ** 9, 0]],
  ])('%s', (_name, standing, expected) => {
    expect(lost(standing)).toEqual(expected);
  });
});
