import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hourMs } from '../../../domain/durations.ts';
import {
  createPeriodCounter,
  minPeople,
  type PlatformMetric,
  type PeriodCounter,
} from './platform-metrics.ts';
import { periodsDue } from './platform-metrics-jobs.ts';

const from = Date.parse('2026-10-21T00:00:00Z');
const recorded = (hour: number, product: 'vape' | 'cigarette' = 'vape', quantity = 1) => ({
  product,
  hour: from + hour * hourMs,
  puffs: 1,
  quantity,
});
const times = (count: number, work: () => void) => {
  for (let index = 0; index < count; index++) work();
};
const dayOf = (fill: (counter: PeriodCounter) => void) => {
  const counter = createPeriodCounter({ period: 'day', from });
  fill(counter);
  const [day, ...hours] = counter.metrics();
  if (!day) throw new Error('the counter returned no metric of the day');
  return { day, hours };
};

describe('createPeriodCounter', () => {
  it('counts each person once, and puffs and quantity', () => {
    const { day, hours } = dayOf((counter) => {
      times(25, () => {
        counter.add([recorded(9, 'vape', 2), recorded(10, 'vape', 3)]);
      });
    });
    const cell = { people: 25, puffs: 50, quantity: 125 };
    expect(day).toEqual({ period: 'day', from, all: cell, byProduct: { vape: cell } });
    expect(hours).toHaveLength(24);
    expect(hours[9]?.all).toEqual({ people: 25, puffs: 25, quantity: 50 });
    expect(hours[11]).toEqual({ period: 'hour', from: from + 11 * hourMs, all: null, byProduct: null });
  });

  it('withholds a cell with fewer than 20 people', () => {
    const metricsOf = (people: number) => {
      const counter = createPeriodCounter({ period: 'hour', from });
      times(people, () => {
        counter.add([recorded(0)]);
      });
      return counter.metrics();
    };
    expect(metricsOf(19)).toEqual([{ period: 'hour', from, all: null, byProduct: null }]);
    expect(metricsOf(20)).toMatchObject([{ all: { people: 20 } }]);
  });

  it('withholds all products where one follows from the others', () => {
    const { day } = dayOf((counter) => {
      times(30, () => {
        counter.add([recorded(9)]);
      });
      times(3, () => {
        counter.add([recorded(9, 'cigarette')]);
      });
    });
    expect(day).toMatchObject({ all: { people: 33 }, byProduct: null });
  });

  it('withholds a second hour where a small one follows from the day and the other hours', () => {
    const { day, hours } = dayOf((counter) => {
      times(40, () => {
        counter.add([recorded(9)]);
      });
      times(25, () => {
        counter.add([recorded(10)]);
      });
      times(2, () => {
        counter.add([recorded(4)]);
      });
    });
    expect(day.all?.people).toBe(67);
    expect(hours.map(({ all }) => all?.people ?? 0).filter((people) => people > 0)).toEqual([40]);
  });

  it('never discloses a cell with fewer than 20 people, directly or by subtraction', () => {
    const anyHours = fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 1, maxLength: 3 });
    const usual = fc.constantFrom([9], [10], [9, 10]);
    const person = fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: anyHours });
    fc.assert(
      fc.property(fc.array(person, { minLength: 15, maxLength: 120, size: 'max' }), (people) => {
        const { day, hours } = dayOf((counter) => {
          for (const own of people) counter.add(own.map((hour) => recorded(hour)));
        });
        const cells = [day, ...hours].flatMap(({ all }: PlatformMetric) => (all ? [all.people] : []));
        expect(cells.every((count) => count >= minPeople)).toBe(true);
        const withheld = new Set(hours.flatMap(({ all }, hour) => (all ? [] : [hour])));
        const together = people.filter((own) => own.some((hour) => withheld.has(hour))).length;
        const isDisclosed = day.all !== null && together > 0 && together < minPeople;
        expect(isDisclosed).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});

describe('periodsDue', () => {
  const due = (start: string, end: string) =>
    periodsDue({ from: Date.parse(start), to: Date.parse(end) }).map(
      ({ period, from: begin }) => `${period} ${new Date(begin).toISOString().slice(0, 13)}`,
    );

  it('returns the hours that ended in the window', () => {
    expect(due('2026-10-21T09:05Z', '2026-10-21T11:05Z')).toEqual([
      'hour 2026-10-21T09',
      'hour 2026-10-21T10',
    ]);
  });
  it('returns at midnight the day that ended and the day that became final', () => {
    expect(due('2026-10-20T22:05Z', '2026-10-21T00:05Z')).toEqual(['day 2026-10-18T00', 'day 2026-10-20T00']);
  });
  it('returns days for a window of one date', () => {
    expect(due('2026-10-21T00:00Z', '2026-10-22T00:00Z')).toEqual(['day 2026-10-19T00', 'day 2026-10-21T00']);
  });
});
