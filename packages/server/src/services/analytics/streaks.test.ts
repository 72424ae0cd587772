import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { dayOf } from '../puffs/index.ts';
import { noStreak, puffFreeDays } from './streaks.ts';

const days = fc
  .uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 20 })
  .map((list) => list.sort((a, b) => a - b));

describe('puff-free days (domain.md D5)', () => {
  it('have not begun without a puff', () => {
    expect(puffFreeDays([], 16)).toEqual(noStreak);
  });

  it('run from the day after the last puff to yesterday, unconfirmed', () => {
    expect(puffFreeDays([10, 14], 17)).toEqual({
      current: 2,
      best: 3,
      startedOn: dayOf(15),
      unconfirmedDays: 2,
      endedReason: null,
      provisional: true,
    });
  });

  it('are broken by a puff today', () => {
    expect(puffFreeDays([10, 14, 16], 16)).toMatchObject({
      current: 0,
      best: 3,
      startedOn: null,
      endedReason: 'puff',
    });
  });

  it('are reopened, not broken, when today moves back over a day with a puff (a flight west)', () => {
    expect(puffFreeDays([10, 16], 15)).toMatchObject({ current: 4, best: 4 });
  });

  it('equal a walk over the calendar', () => {
    fc.assert(
      fc.property(days, fc.integer({ min: 0, max: 70 }), (active, today) => {
        const seen = active.filter((day) => day <= today);
        let best = 0;
        let run = 0;
        for (let day = seen[0] ?? today; day < today; day++) {
          run = seen.includes(day) ? 0 : run + 1;
          best = Math.max(best, run);
        }
        const current = seen.length === 0 || seen.includes(today) ? 0 : run;
        expect(puffFreeDays(active, today)).toMatchObject({ current, best, unconfirmedDays: current });
      }),
    );
  });
});
