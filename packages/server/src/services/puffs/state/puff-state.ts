import { addPuff, aggregateIn, type DayAggregate, type MonthAggregates } from '../domain/day-aggregate.ts';
import { dayOf, monthOf, type DayNumber } from '../../../domain/local-day.ts';
import { LocalDayIndex } from '../domain/local-day-index.ts';
import type { ChangeRecord, CountedPuff, LogRecord } from '../domain/log-record.ts';
import { wallReachMs } from '../../../domain/phone-clock.ts';
import { isBackdated } from '../domain/puff.ts';
import type { DateSpan, DayMarks, PuffHistory } from '../domain/puff-history.ts';

const dayMs = 86_400_000;

/** What folding a change needs from the records: its dates, recounted, and the newest puff. */
export interface Recount {
  readonly dates: MonthAggregates;
  /** ms; undefined where the change does not touch the newest puff. */
  readonly lastPuffAt: number | null | undefined;
}

/**
 * A person's state: the fold of their log up to `rev`. Sums stand by wall date and wall hour, so that a local day is
 * read for any `dayStartHour` and nothing is ever rewritten (docs/domain.md D1). They are held for the months
 * that were loaded; a month that is not loaded may change, and is recounted when it is loaded.
 */
export class PuffState implements PuffHistory {
  rev = 0;
  total = 0;
  records = 0;
  lastPuffAt: number | null = null;
  /** Everything up to this number is hidden by a deletion of all. */
  clearedRev = 0;
  /** When that was, in ms; null without any. */
  clearedAt: number | null = null;
  /** Every wall month (`YYYY-MM`) that has had a puff, with the number that changed it last. */
  readonly months = new Map<string, number>();
  /** Loaded months that changed since they were last written to their checkpoint. */
  readonly dirtyMonths = new Set<string>();
  /** True while the person row of the checkpoint is behind. */
  dirty = false;
  /** The newest change without content: the month that it changed is unknown. */
  strippedRev = 0;
  readonly #loaded = new Map<string, { dates: Map<DayNumber, DayAggregate>; countedUpTo: number }>();
  /** Months that were loaded or changed since the last unload. */
  readonly #recent = new Set<string>();
  readonly #days = new LocalDayIndex({
    aggregateOn: (date) => this.#aggregateOn(date),
    loaded: () => this.#loadedDates(),
  });

  /** Takes the next record, but for a change (see `foldChange`). Numbers folded before are left alone. */
  fold(record: Exclude<LogRecord, ChangeRecord>): void {
    if (record.rev !== this.rev + 1) return;
    if (record.kind === 'puff') {
      const { counted, receivedAt } = record;
      this.total += counted.quantity;
      this.records += 1;
      this.lastPuffAt = Math.max(this.lastPuffAt ?? counted.timestamp, counted.timestamp);
      this.#touch(counted, record.rev, (dates) => {
        const { wall, quantity } = counted;
        const aggregate = aggregateIn(dates, wall.dayNumber);
        const before = aggregate.hours[wall.hour] ?? 0;
        addPuff(aggregate, counted, isBackdated(counted.timestamp, receivedAt));
        this.#days.puffAdded(wall, quantity, before);
      });
    } else if (record.kind === 'clear') {
      this.#clear(record.rev, record.at);
    } else if (record.kind === 'stripped') {
      this.strippedRev = record.rev;
    }
    this.#moveTo(record.rev);
  }

  /**
   * Takes a change with the recount of its dates, made after the change was applied to its record. Sums are set and
   * not moved, because the recount may know later changes already; totals move by the change's own values.
   */
  foldChange({ rev, before, after }: ChangeRecord, recount: Recount): void {
    if (rev !== this.rev + 1) return;
    this.total += (after?.quantity ?? 0) - (before?.quantity ?? 0);
    this.records += (after ? 1 : 0) - (before ? 1 : 0);
    if (recount.lastPuffAt !== undefined) this.lastPuffAt = recount.lastPuffAt;
    else if (after) this.lastPuffAt = Math.max(this.lastPuffAt ?? after.timestamp, after.timestamp);
    for (const counted of [before, after])
      if (counted)
        this.#touch(counted, rev, (dates) => {
          const aggregate = recount.dates.get(counted.wall.dayNumber);
          if (aggregate) dates.set(counted.wall.dayNumber, aggregate);
          else dates.delete(counted.wall.dayNumber);
          this.#days.invalidate();
        });
    this.#moveTo(rev);
  }

  #moveTo(rev: number) {
    this.rev = rev;
    this.dirty = true;
  }

  #touch({ wall }: CountedPuff, rev: number, change: (dates: Map<DayNumber, DayAggregate>) => void) {
    const name = monthOf(wall.dayNumber);
    // A month without a puff so far is known completely: it is empty.
    if (!this.months.has(name)) this.#loaded.set(name, { dates: new Map(), countedUpTo: 0 });
    this.months.set(name, rev);
    const month = this.#loaded.get(name);
    if (!month) return;
    this.dirtyMonths.add(name);
    this.#recent.add(name);
    // A month row as loaded may be ahead of the log as folded: what it counts already is not counted again.
    if (rev <= month.countedUpTo) return;
    change(month.dates);
  }

  #clear(rev: number, at: number) {
    this.total = 0;
    this.records = 0;
    this.lastPuffAt = null;
    this.clearedRev = rev;
    this.clearedAt = at;
    for (const [name, month] of this.#loaded) if (month.countedUpTo < rev) this.#loaded.delete(name);
    for (const name of this.months.keys()) {
      if (this.#loaded.has(name)) continue; // its row has seen the deletion, and what came after it
      this.months.delete(name);
      this.dirtyMonths.delete(name);
    }
    this.#days.invalidate();
  }

  isMonthLoaded(name: string): boolean {
    return this.#loaded.has(name) || !this.months.has(name);
  }

  /** Adds a loaded month, which counts everything up to `countedUpTo`. */
  setMonth(name: string, dates: Map<DayNumber, DayAggregate>, countedUpTo: number): void {
    this.#loaded.set(name, { dates, countedUpTo });
    this.#recent.add(name);
    this.#days.invalidate();
  }

  /** A loaded month, and the number up to which it is complete. */
  loadedMonth(name: string): { dates: MonthAggregates; countedUpTo: number } | undefined {
    const month = this.#loaded.get(name);
    return month && { dates: month.dates, countedUpTo: Math.max(this.rev, month.countedUpTo) };
  }

  /** The highest number that a loaded month counts already; the log has to be folded up to there. */
  get aheadOf(): number {
    let ahead = this.rev;
    for (const { countedUpTo } of this.#loaded.values()) ahead = Math.max(ahead, countedUpTo);
    return ahead;
  }

  /** Unloads months before `name` that are on disk and were not used since the last call. */
  unloadBefore(name: string): void {
    for (const loaded of this.#loaded.keys())
      if (loaded < name && !this.dirtyMonths.has(loaded) && !this.#recent.has(loaded)) {
        this.#loaded.delete(loaded);
        this.#days.invalidate();
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
    return this.#days.countOn(day, dayStartHour);
  }

  hoursOn(day: DayNumber, dayStartHour: number): readonly number[] {
    return this.#days.hoursOn(day, dayStartHour);
  }

  marksOn(day: DayNumber, dayStartHour: number): DayMarks {
    const marks = this.#days.marksOn(day, dayStartHour);
    // Which days had puffs is not known any more, so those that may have had one of more than 24 h ago count as days with a late removal.
    const isCleared = this.clearedAt !== null && day * dayMs - wallReachMs < this.clearedAt - dayMs;
    return isCleared ? { ...marks, lateRemoval: true } : marks;
  }

  activeDays(dayStartHour: number): readonly DayNumber[] {
    return this.#days.activeDays(dayStartHour);
  }

  spans(from: DayNumber): readonly DateSpan[] {
    return [...this.#loadedDates()]
      .flatMap(([date, { span }]) => (span && date >= from ? [{ date, ...span }] : []))
      .sort((a, b) => a.date - b.date);
  }

  #aggregateOn(date: DayNumber): DayAggregate | undefined {
    const name = monthOf(date);
    const month = this.#loaded.get(name);
    if (!month && this.months.has(name)) throw new RangeError(`the puffs of ${name} are not loaded`);
    return month?.dates.get(date);
  }

  *#loadedDates(): Iterable<readonly [DayNumber, DayAggregate]> {
    for (const { dates } of this.#loaded.values()) yield* dates;
  }

  /**
   * What is counted as plain data, for comparison with a recount. Two things are left out, because a recount may know
   * more or less of them: the longest gap that was split, and deletions whose content is gone.
   */
  toJSON(): object {
    const days = [...this.#loadedDates()]
      .sort(([a], [b]) => a - b)
      .flatMap(([date, { hours, onTimeHours, span }]) =>
        span ? [[dayOf(date), { hours, onTimeHours, first: span.first, last: span.last }]] : [],
      );
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
