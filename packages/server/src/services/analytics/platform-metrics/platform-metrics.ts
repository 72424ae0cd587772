import { hourMs } from '../../../domain/durations.ts';
import type { PersonHour } from '../../puffs/index.ts';

/** A cell with fewer people could disclose something about one of them. It is not stored. */
export const minPeople = 20;

export type Product = PersonHour['product'];

/** The people who recorded a puff, their puffs, and the sum of quantity. */
export interface Cell {
  readonly people: number;
  readonly puffs: number;
  readonly quantity: number;
}

/** The activity of the platform in an hour or a day of UTC. Null: withheld, which includes zero people. */
export interface PlatformMetric {
  readonly period: 'hour' | 'day';
  /** ms */
  readonly from: number;
  readonly all: Cell | null;
  /** Null also where a withheld product could be computed from the sum and the other products. */
  readonly byProduct: Readonly<Partial<Record<Product, Cell>>> | null;
}

export interface Period {
  readonly period: 'hour' | 'day';
  readonly from: number;
  readonly to: number;
}

/** Counts the activity in one period. The result contains nothing about a single person. */
export interface PeriodCounter {
  /** The whole activity of one person in the period; called once per person. */
  add(hours: readonly Omit<PersonHour, 'person'>[]): void;
  /** The metric of the period; for a day also those of its 24 hours. */
  metrics(): PlatformMetric[];
}

class Sums {
  people = 0;
  puffs = 0;
  quantity = 0;
  add(rows: readonly { puffs: number; quantity: number }[]) {
    this.people += 1;
    for (const row of rows) {
      this.puffs += row.puffs;
      this.quantity += row.quantity;
    }
  }
  cell(): Cell {
    return { people: this.people, puffs: this.puffs, quantity: this.quantity };
  }
}

/** The sums of a period, in total and by product. */
class PeriodSums {
  readonly all = new Sums();
  readonly products = new Map<Product, Sums>();

  add(rows: readonly Omit<PersonHour, 'person'>[]) {
    this.all.add(rows);
    for (const product of new Set(rows.map((row) => row.product))) {
      const sums = this.products.get(product) ?? new Sums();
      this.products.set(product, sums);
      sums.add(rows.filter((row) => row.product === product));
    }
  }

  metric(period: PlatformMetric['period'], from: number): PlatformMetric {
    const enough = this.all.people >= minPeople;
    const everyProduct = [...this.products.values()].every(({ people }) => people >= minPeople);
    return {
      period,
      from,
      all: enough ? this.all.cell() : null,
      byProduct:
        enough && everyProduct
          ? Object.fromEntries([...this.products].map(([product, sums]) => [product, sums.cell()]))
          : null,
    };
  }
}

/**
 * Platform metrics without per-person keys and without a cell under 20 people, published or by subtraction. The withheld
 * hours of a day follow from the day minus the other hours, so together they contain no person or at least 20. Otherwise
 * the smallest published hour is withheld too.
 */
export const createPeriodCounter = ({ period, from }: Pick<Period, 'period' | 'from'>): PeriodCounter => {
  const whole = new PeriodSums();
  const hours = Array.from({ length: period === 'day' ? 24 : 0 }, () => new PeriodSums());
  /** The number of people by the set of hours in which they were active, as bits. */
  const peopleByHours = new Map<number, number>();

  const withheldHours = (): ReadonlySet<number> => {
    const small = hours.flatMap(({ all }, hour) => (all.people < minPeople ? [hour] : []));
    const bits = small.reduce((set, hour) => set | (1 << hour), 0);
    let together = 0;
    for (const [set, count] of peopleByHours) if (set & bits) together += count;
    if (together === 0 || together >= minPeople) return new Set(small);
    const others = hours
      .map(({ all }, hour) => ({ hour, people: all.people }))
      .filter(({ people }) => people >= minPeople)
      .sort((a, b) => a.people - b.people);
    return new Set([...small, ...others.slice(0, 1).map(({ hour }) => hour)]);
  };

  return {
    add(rows) {
      whole.add(rows);
      if (hours.length === 0) return;
      let bits = 0;
      for (const [hour, sums] of hours.entries()) {
        const inHour = rows.filter((row) => row.hour === from + hour * hourMs);
        if (inHour.length === 0) continue;
        bits |= 1 << hour;
        sums.add(inHour);
      }
      peopleByHours.set(bits, (peopleByHours.get(bits) ?? 0) + 1);
    },
    metrics() {
      const withheld = withheldHours();
      return [
        whole.metric(period, from),
        ...hours.map((sums, hour): PlatformMetric => {
          const start = from + hour * hourMs;
          if (withheld.has(hour)) return { period: 'hour', from: start, all: null, byProduct: null };
          return sums.metric('hour', start);
        }),
      ];
    },
  };
};
