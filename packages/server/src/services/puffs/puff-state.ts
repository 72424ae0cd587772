import { dayOf, localDayOf, monthOf, type DayNumber } from './local-day.ts';
import type { WallClock } from '../../platform/time-zones.ts';
import type { PuffHistory } from './puff-history.ts';

/** An entry of the log as the fold sees it; `empty` filled a number that a crash had left out. */
export type LogRecord =
  | { rev: number; kind: 'empty' }
  | { rev: number; kind: 'puff'; timestamp: number; wall: WallClock; quantity: number };

/** Sums of quantity by wall hour 0..23 of one wall date. */
type HourSums = number[];

/**
 * A person's state: the fold of their log up to `rev`. Sums stand by wall date and wall hour, so that a local day is
 * read for any `dayStartHour` and nothing is ever rewritten (design.md section 3, Days).
 */
export class PuffState implements PuffHistory {
  rev = 0;
  total = 0;
  records = 0;
  lastPuffAt: number | null = null;
  readonly days = new Map<DayNumber, HourSums>();
  /** Every wall month (`YYYY-MM`) that has a sum. */
  readonly months = new Set<string>();
  /** Months that changed since they were last written to their checkpoint. */
  readonly dirtyMonths = new Set<string>();
  /** True while the person row of the checkpoint is behind. */
  dirty = false;
  /** Month rows as loaded may be ahead of the person row: what they already count is not added again. */
  readonly countedIn = new Map<string, number>();
  #active: { dayStartHour: number; days: DayNumber[] } | undefined;

  /** Adds the next record. Numbers that were folded before are left alone; false at a hole. */
  fold(record: LogRecord): boolean {
    if (record.rev <= this.rev) return true;
    if (record.rev !== this.rev + 1) return false;
    this.rev = record.rev;
    this.dirty = true;
    if (record.kind === 'puff') {
      this.total += record.quantity;
      this.records += 1;
      this.lastPuffAt = Math.max(this.lastPuffAt ?? record.timestamp, record.timestamp);
      this.#addToDay(record);
    }
    return true;
  }

  #addToDay({ rev, wall, quantity }: { rev: number; wall: WallClock; quantity: number }) {
    const month = monthOf(wall.dayNumber);
    this.dirtyMonths.add(month);
    this.months.add(month);
    if (rev <= (this.countedIn.get(month) ?? 0)) return;
    const hours = this.hoursOf(wall.dayNumber);
    const before = hours[wall.hour] ?? 0;
    if (before === 0) this.#active = undefined;
    hours[wall.hour] = before + quantity;
  }

  hoursOf(day: DayNumber): HourSums {
    let hours = this.days.get(day);
    if (!hours) {
      hours = new Array<number>(24).fill(0);
      this.days.set(day, hours);
    }
    return hours;
  }

  isLoadedFrom(): boolean {
    return true;
  }

  changedThrough(): number {
    return this.rev;
  }

  hoursOn(day: DayNumber, dayStartHour: number): readonly number[] {
    const [today, next] = [this.days.get(day), this.days.get(day + 1)];
    return Array.from({ length: 24 }, (_, hour) => (hour < dayStartHour ? next : today)?.[hour] ?? 0);
  }

  countOn(day: DayNumber, dayStartHour: number): number {
    let count = 0;
    const today = this.days.get(day);
    if (today) for (let hour = dayStartHour; hour < 24; hour++) count += today[hour] ?? 0;
    const next = dayStartHour > 0 ? this.days.get(day + 1) : undefined;
    if (next) for (let hour = 0; hour < dayStartHour; hour++) count += next[hour] ?? 0;
    return count;
  }

  activeDays(dayStartHour: number): readonly DayNumber[] {
    if (this.#active?.dayStartHour !== dayStartHour) {
      const active = new Set<DayNumber>();
      for (const [dayNumber, hours] of this.days)
        for (let hour = 0; hour < 24; hour++)
          if ((hours[hour] ?? 0) > 0) active.add(localDayOf({ dayNumber, hour }, dayStartHour));
      this.#active = { dayStartHour, days: [...active].sort((a, b) => a - b) };
    }
    return this.#active.days;
  }

  /** The sums as plain data, for comparison with a recount. */
  toJSON(): object {
    const days = [...this.days].sort(([a], [b]) => a - b).map(([day, hours]) => [dayOf(day), hours]);
    return {
      rev: this.rev,
      total: this.total,
      records: this.records,
      lastPuffAt: this.lastPuffAt,
      days: Object.fromEntries(days) as object,
    };
  }
}
