import type { WallClock } from '../../../domain/time-zones.ts';
import type { DayAggregate } from './day-aggregate.ts';
import { localDayOf, type DayNumber } from '../../../domain/local-day.ts';
import type { DayMarks } from './puff-history.ts';

/**
 * Local days, read from wall dates: the hours >= `dayStartHour` of date D, and those < `dayStartHour` of D + 1. What is
 * derived is cached for the `dayStartHour` of the last call.
 */
export class LocalDayIndex {
  readonly #aggregateOn: (date: DayNumber) => DayAggregate | undefined;
  readonly #loaded: () => Iterable<readonly [DayNumber, DayAggregate]>;
  #counts: { dayStartHour: number; byDay: Map<DayNumber, number> } | undefined;
  #active: { dayStartHour: number; days: DayNumber[] } | undefined;

  /** `aggregateOn` throws for a date that is not loaded; `loaded` gives all that are. */
  constructor(wallDates: {
    aggregateOn: (date: DayNumber) => DayAggregate | undefined;
    loaded: () => Iterable<readonly [DayNumber, DayAggregate]>;
  }) {
    this.#aggregateOn = wallDates.aggregateOn;
    this.#loaded = wallDates.loaded;
  }

  /** Follows a puff that was added to its date, whose hour had `before` until then. */
  puffAdded(wall: WallClock, quantity: number, before: number): void {
    if (before === 0) this.#active = undefined;
    if (!this.#counts) return;
    const day = localDayOf(wall, this.#counts.dayStartHour);
    const count = this.#counts.byDay.get(day);
    if (count !== undefined) this.#counts.byDay.set(day, count + quantity);
  }

  invalidate(): void {
    this.#counts = undefined;
    this.#active = undefined;
  }

  countOn(day: DayNumber, dayStartHour: number): number {
    if (this.#counts?.dayStartHour !== dayStartHour) this.#counts = { dayStartHour, byDay: new Map() };
    const { byDay } = this.#counts;
    let count = byDay.get(day);
    if (count === undefined) {
      count = this.hoursOn(day, dayStartHour).reduce((sum, quantity) => sum + quantity, 0);
      byDay.set(day, count);
    }
    return count;
  }

  hoursOn(day: DayNumber, dayStartHour: number): readonly number[] {
    const { date, next } = this.#datesOf(day, dayStartHour);
    return Array.from({ length: 24 }, (_, hour) => (hour < dayStartHour ? next : date)?.hours[hour] ?? 0);
  }

  marksOn(day: DayNumber, dayStartHour: number): DayMarks {
    const { date, next } = this.#datesOf(day, dayStartHour);
    const early = (1 << dayStartHour) - 1;
    const onTime = ((date?.onTimeHours ?? 0) & ~early) | ((next?.onTimeHours ?? 0) & early);
    const removed = (date?.lateRemovals.day ?? 0) | (next?.lateRemovals.eve ?? 0);
    return {
      lateOnly: this.countOn(day, dayStartHour) > 0 && onTime === 0,
      lateRemoval: (removed & (1 << dayStartHour)) !== 0,
    };
  }

  activeDays(dayStartHour: number): readonly DayNumber[] {
    if (this.#active?.dayStartHour !== dayStartHour) {
      const active = new Set<DayNumber>();
      for (const [dayNumber, { hours }] of this.#loaded())
        for (let hour = 0; hour < 24; hour++)
          if ((hours[hour] ?? 0) > 0) active.add(localDayOf({ dayNumber, hour }, dayStartHour));
      this.#active = { dayStartHour, days: [...active].sort((a, b) => a - b) };
    }
    return this.#active.days;
  }

  #datesOf(day: DayNumber, dayStartHour: number) {
    return { date: this.#aggregateOn(day), next: dayStartHour > 0 ? this.#aggregateOn(day + 1) : undefined };
  }
}
