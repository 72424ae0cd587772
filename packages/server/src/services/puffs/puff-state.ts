import { dayNumberOf, dayOf, localDayOf, monthOf, type DayNumber } from './local-day.ts';
import type { ChangeRecord, Counted, LogRecord } from './log-record.ts';
import type { DayMarks, PuffHistory } from './puff-history.ts';

/** Sums of quantity by wall hour 0..23 of one wall date. */
export type HourSums = number[];
/** Sums of one wall month: those of its dates that have any. */
export type MonthSums = ReadonlyMap<DayNumber, HourSums>;

/** What folding a change needs from the records: its dates, counted anew, and the newest puff. */
export interface Recount {
  readonly dates: MonthSums;
  /** ms; undefined where the change does not touch the newest puff. */
  readonly lastPuffAt: number | null | undefined;
}

/**
 * A person's state: the fold of their log up to `rev`. Sums stand by wall date and wall hour, so that a local day is
 * read for any `dayStartHour` and nothing is ever rewritten (design.md section 3, Days). Sums are held for the months
 * that were asked for; a month that is not loaded may change, and is counted anew when somebody asks for it.
 */
export class PuffState implements PuffHistory {
  rev = 0;
  total = 0;
  records = 0;
  lastPuffAt: number | null = null;
  /** Everything up to this number is hidden by a deletion of all. */
  clearedRev = 0;
  /** Every wall month (`YYYY-MM`) that has a sum, with the number that changed it last. */
  readonly months = new Map<string, number>();
  /** Loaded months that changed since they were last written to their checkpoint. */
  readonly dirtyMonths = new Set<string>();
  /** True while the person row of the checkpoint is behind. */
  dirty = false;
  /** The newest change whose content is gone: which month it changed is not known any more. */
  strippedRev = 0;
  readonly #loaded = new Map<string, { sums: Map<DayNumber, HourSums>; countedUpTo: number }>();
  /** Months that were loaded or changed since months were let go last. */
  readonly #recent = new Set<string>();
  /** Derived for the `dayStartHour` that was asked for last: counts by local day, and the days that have any. */
  #counts: { dayStartHour: number; byDay: Map<DayNumber, number> } | undefined;
  #active: { dayStartHour: number; days: DayNumber[] } | undefined;

  /** Takes the next record, but for a change (see `foldChange`). Numbers folded before are left alone. */
  fold(record: Exclude<LogRecord, ChangeRecord>): void {
    if (record.rev !== this.rev + 1) return;
    if (record.kind === 'puff') {
      const { counted } = record;
      this.total += counted.quantity;
      this.records += 1;
      this.lastPuffAt = Math.max(this.lastPuffAt ?? counted.timestamp, counted.timestamp);
      this.#touch(counted, record.rev, (sums) => {
        const hours = hoursIn(sums, counted.wall.dayNumber);
        const sum = hours[counted.wall.hour] ?? 0;
        if (sum === 0) this.#active = undefined;
        hours[counted.wall.hour] = sum + counted.quantity;
        if (!this.#counts) return;
        const day = localDayOf(counted.wall, this.#counts.dayStartHour);
        const count = this.#counts.byDay.get(day);
        if (count !== undefined) this.#counts.byDay.set(day, count + counted.quantity);
      });
    } else if (record.kind === 'clear') {
      this.#clear(record.rev);
    } else if (record.kind === 'stripped') {
      this.strippedRev = record.rev;
    }
    this.#moveTo(record.rev);
  }

  /**
   * Takes a change with the recount of its dates, made after the change was applied to its record. Sums are set and
   * not moved, because the recount may know later changes already; totals move by the change's own words.
   */
  foldChange({ rev, before, after }: ChangeRecord, recount: Recount): void {
    if (rev !== this.rev + 1) return;
    this.total += (after?.quantity ?? 0) - (before?.quantity ?? 0);
    this.records += (after ? 1 : 0) - (before ? 1 : 0);
    if (recount.lastPuffAt !== undefined) this.lastPuffAt = recount.lastPuffAt;
    else if (after) this.lastPuffAt = Math.max(this.lastPuffAt ?? after.timestamp, after.timestamp);
    for (const counted of [before, after])
      if (counted)
        this.#touch(counted, rev, (sums) => {
          const hours = recount.dates.get(counted.wall.dayNumber);
          if (hours) sums.set(counted.wall.dayNumber, [...hours]);
          else sums.delete(counted.wall.dayNumber);
          this.#forgetDerived();
        });
    this.#moveTo(rev);
  }

  #moveTo(rev: number) {
    this.rev = rev;
    this.dirty = true;
  }

  #touch({ wall }: Counted, rev: number, change: (sums: Map<DayNumber, HourSums>) => void) {
    const name = monthOf(wall.dayNumber);
    // A month without a sum so far is known completely: it is empty.
    if (!this.months.has(name)) this.#loaded.set(name, { sums: new Map(), countedUpTo: 0 });
    this.months.set(name, rev);
    const month = this.#loaded.get(name);
    if (!month) return;
    this.dirtyMonths.add(name);
    this.#recent.add(name);
    // A month row as loaded may be ahead of the log as folded: what it counts already is not counted again.
    if (rev <= month.countedUpTo) return;
    change(month.sums);
  }

  #clear(rev: number) {
    this.total = 0;
    this.records = 0;
    this.lastPuffAt = null;
    this.clearedRev = rev;
    for (const [name, month] of this.#loaded) if (month.countedUpTo < rev) this.#loaded.delete(name);
    for (const name of this.months.keys()) {
      if (this.#loaded.has(name)) continue; // its row has seen the deletion, and what came after it
      this.months.delete(name);
      this.dirtyMonths.delete(name);
    }
    this.#forgetDerived();
  }

  #forgetDerived() {
    this.#counts = undefined;
    this.#active = undefined;
  }

  isMonthLoaded(name: string): boolean {
    return this.#loaded.has(name) || !this.months.has(name);
  }

  /** Sums of a month that has been asked for, with everything up to `countedUpTo` in them. */
  setMonth(name: string, sums: Map<DayNumber, HourSums>, countedUpTo: number): void {
    this.#loaded.set(name, { sums, countedUpTo });
    this.#recent.add(name);
    this.#forgetDerived();
  }

  /** Sums of a loaded month, and the number up to which they are complete. */
  sumsOf(name: string): { sums: MonthSums; countedUpTo: number } | undefined {
    const month = this.#loaded.get(name);
    return month && { sums: month.sums, countedUpTo: Math.max(this.rev, month.countedUpTo) };
  }

  /** The highest number that a loaded month counts already; the log has to be folded up to there. */
  get aheadOf(): number {
    return Math.max(this.rev, ...[...this.#loaded.values()].map(({ countedUpTo }) => countedUpTo));
  }

  /** Lets go of months before `name` that are on disk and that nobody has used since this was last called. */
  unloadBefore(name: string): void {
    for (const loaded of this.#loaded.keys())
      if (loaded < name && !this.dirtyMonths.has(loaded) && !this.#recent.has(loaded)) {
        this.#loaded.delete(loaded);
        this.#forgetDerived();
      }
    this.#recent.clear();
  }

  isLoadedFrom(day: DayNumber): boolean {
    const first = monthOf(day);
    for (const name of this.months.keys()) if (name >= first && !this.#loaded.has(name)) return false;
    return true;
  }

  changedThrough(day: DayNumber): number {
    // The small hours of the date after it may belong to the day.
    const last = monthOf(day + 1);
    let newest = Math.max(this.clearedRev, this.strippedRev);
    for (const [name, rev] of this.months) if (name <= last) newest = Math.max(newest, rev);
    return newest;
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
    const [today, next] = [this.#hoursOfDate(day), dayStartHour > 0 ? this.#hoursOfDate(day + 1) : undefined];
    return Array.from({ length: 24 }, (_, hour) => (hour < dayStartHour ? next : today)?.[hour] ?? 0);
  }

  marksOn(_day: DayNumber, _dayStartHour: number): DayMarks {
    return { lateOnly: false, trimmed: false };
  }

  #hoursOfDate(day: DayNumber): HourSums | undefined {
    const name = monthOf(day);
    const month = this.#loaded.get(name);
    if (!month && this.months.has(name)) throw new RangeError(`the puffs of ${name} are not loaded`);
    return month?.sums.get(day);
  }

  activeDays(dayStartHour: number): readonly DayNumber[] {
    if (this.#active?.dayStartHour !== dayStartHour) {
      const active = new Set<DayNumber>();
      for (const { sums } of this.#loaded.values())
        for (const [dayNumber, hours] of sums)
          for (let hour = 0; hour < 24; hour++)
            if ((hours[hour] ?? 0) > 0) active.add(localDayOf({ dayNumber, hour }, dayStartHour));
      this.#active = { dayStartHour, days: [...active].sort((a, b) => a - b) };
    }
    return this.#active.days;
  }

  /** The counts as plain data, for comparison with a recount. */
  toJSON(): object {
    const days = [...this.#loaded.values()]
      .flatMap(({ sums }) => [...sums])
      .filter(([, hours]) => hours.some((sum) => sum > 0))
      .sort(([a], [b]) => a - b)
      .map(([day, hours]) => [dayOf(day), hours]);
    return {
      rev: this.rev,
      total: this.total,
      records: this.records,
      lastPuffAt: this.lastPuffAt,
      clearedRev: this.clearedRev,
      days: Object.fromEntries(days) as object,
    };
  }
}

export const hoursIn = (sums: Map<DayNumber, HourSums>, day: DayNumber): HourSums => {
  let hours = sums.get(day);
  if (!hours) {
    hours = new Array<number>(24).fill(0);
    sums.set(day, hours);
  }
  return hours;
};

/** First and last date of a wall month. */
export const datesOfMonth = (name: string): { first: DayNumber; last: DayNumber } => {
  const first = dayNumberOf(`${name}-01`);
  let last = first + 27;
  while (monthOf(last + 1) === name) last += 1;
  return { first, last };
};
