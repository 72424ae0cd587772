import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  createPeriodCounter,
  minPeople,
  type PlatformMetric,
  type PeriodCounter,
} from './platform-metrics.ts';
import { periodsDue } from './platform-metrics-jobs.ts';

const from = Date.parse('2026-10-21T00:00:00Z');
const hourMs = 3_600_000;
const took = (hour: number, product: 'vape' | 'cigarette' = 'vape', quantity = 1) => ({
  product,
  hour: from + hour * hourMs,
  puffs: 1,
  quantity,
});
const times = (count: number, work: () => void) => {
  for (let index = 0; index < count; index++) work();
};
const dayOf = (fill: (counting: PeriodCounter) => void) => {
  const counting = createPeriodCounter({ period: 'day', from });
  fill(counting);
  const [day, ...hours] = counting.figures();
  if (!day) throw new Error('no figure of the day');
  return { day, hours };
};

describe('platform figures', () => {
  it('count people once, puffs and quantity', () => {
    const { day, hours } = dayOf((counting) => {
      times(25, () => {
        counting.add([took(9, 'vape', 2), took(10, 'vape', 3)]);
      });
    });
    const cell = { people: 25, puffs: 50, quantity: 125 };
    expect(day).toEqual({ period: 'day', from, all: cell, byProduct: { vape: cell } });
    expect(hours).toHaveLength(24);
    expect(hours[9]?.all).toEqual({ people: 25, puffs: 25, quantity: 50 });
    expect(hours[11]).toEqual({ period: 'hour', from: from + 11 * hourMs, all: null, byProduct: null });
  });

  it('withhold what fewer than 20 people did', () => {
    const figureOf = (people: number) => {
      const counting = createPeriodCounter({ period: 'hour', from });
      times(people, () => {
        counting.add([took(0)]);
      });
      return counting.figures();
    };
    expect(figureOf(19)).toEqual([{ period: 'hour', from, all: null, byProduct: null }]);
    expect(figureOf(20)).toMatchObject([{ all: { people: 20 } }]);
  });

  it('withhold every product where the others would tell it', () => {
    const { day } = dayOf((counting) => {
      times(30, () => {
        counting.add([took(9)]);
      });
      times(3, () => {
        counting.add([took(9, 'cigarette')]);
      });
    });
    expect(day).toMatchObject({ all: { people: 33 }, byProduct: null });
  });

  it('withhold one more hour where the day less the others would tell a small one', () => {
    const { day, hours } = dayOf((counting) => {
      times(40, () => {
        counting.add([took(9)]);
      });
      times(25, () => {
        counting.add([took(10)]);
      });
      times(2, () => {
        counting.add([took(4)]);
      });
    });
    expect(day.all?.people).toBe(67);
    expect(hours.map(({ all }) => all?.people ?? 0).filter((people) => people > 0)).toEqual([40]);
  });

  it('never tell, printed or by subtraction, what fewer than 20 people did', () => {
    const anyHours = fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 1, maxLength: 3 });
    const usual = fc.constantFrom([9], [10], [9, 10]);
    const person = fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: anyHours });
    fc.assert(
      fc.property(fc.array(person, { minLength: 15, maxLength: 120, size: 'max' }), (people) => {
        const { day, hours } = dayOf((counting) => {
          for (const own of people) counting.add(own.map((hour) => took(hour)));
        });
        const cells = [day, ...hours].flatMap(({ all }: PlatformMetric) => (all ? [all.people] : []));
        expect(cells.every((count) => count >= minPeople)).toBe(true);
        const withheld = new Set(hours.flatMap(({ all }, hour) => (all ? [] : [hour])));
        const together = people.filter((own) => own.some((hour) => withheld.has(hour))).length;
        const isTold = day.all !== null && together > 0 && together < minPeople;
        expect(isTold).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the periods of a run', () => {
  const due = (start: string, end: string) =>
    periodsDue({ from: Date.parse(start), to: Date.parse(end) }).map(
      ({ period, from: begin }) => `${period} ${new Date(begin).toISOString().slice(0, 13)}`,
    );

  it('are the hours that ended', () => {
    expect(due('2026-10-21T09:05Z', '2026-10-21T11:05Z')).toEqual([
      'hour 2026-10-21T09',
      'hour 2026-10-21T10',
    ]);
  });
  it('are at midnight the day that ended, and the one that nothing changes any more', () => {
    expect(due('2026-10-20T22:05Z', '2026-10-21T00:05Z')).toEqual(['day 2026-10-18T00', 'day 2026-10-20T00']);
  });
  it('are a whole date by hand', () => {
    expect(due('2026-10-21T00:00Z', '2026-10-22T00:00Z')).toEqual(['day 2026-10-19T00', 'day 2026-10-21T00']);
  });
});
