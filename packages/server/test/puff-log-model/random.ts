// Looked up once: in Jest each look-up of a global costs more than what is done here with it.
const { floor, imul } = Math;

/** Chance that can be replayed: one seed gives one interleaving (mulberry32). */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed;
  }

  /** 0 <= x < 1 */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = imul(this.state ^ (this.state >>> 15), this.state | 1);
    t ^= t + imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number, 0 <= n < limit. */
  below(limit: number): number {
    return floor(this.next() * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('pick from nothing');
    return item;
  }

  /** Takes one item out of the array. */
  take<T>(items: T[]): T {
    const [item] = items.splice(this.below(items.length), 1);
    if (item === undefined) throw new Error('take from nothing');
    return item;
  }
}
