import type { WallClock } from '../../../domain/time-zones.ts';
import type { DayNumber } from '../../../domain/local-day.ts';
import type { Span } from './span.ts';

/** The live puffs of one wall date in time. */
export interface DateSpan extends Readonly<Span> {
  readonly date: DayNumber;
}

/** When a puff was: the instant (ms), and what the wall showed. */
export interface Moment {
  readonly timestamp: number;
  readonly wall: WallClock;
}

/** What makes a day void where people are compared (domain.md D11). */
export interface DayMarks {
  /** It has puffs, and each was received, or moved there, more than 48 h after it happened. */
  readonly lateOnly: boolean;
  /**
   * Something of it was taken away more than 24 h after it happened, by a deletion or an edit, and is not back. Known
   * while the puff's content is kept: for 30 days after a deletion, and not past a deletion of all.
   */
  readonly lateRemoval: boolean;
}

/**
 * What the other services read of a person's puffs: every record up to `rev` is counted, none after it. It is a live
 * object: it changes as the log grows, so read related values without an await in between.
 */
export interface PuffHistory {
  readonly rev: number;
  /** Sum of quantity. */
  readonly total: number;
  /** Live records. */
  readonly records: number;
  /** ms; null without a puff. */
  readonly lastPuffAt: number | null;
  /** Whether every day from this one on is loaded; if not, read a history from that day. */
  isLoadedFrom(day: DayNumber): boolean;
  /**
   * The newest number that changed a sum on this local day or any earlier one, whatever the `dayStartHour`; 0 without
   * any. Never too low; it may be too high by what changed elsewhere in the same wall month.
   */
  changedThrough(day: DayNumber): number;
  /** Sum of quantity on a local day. Throws RangeError where that day is not loaded. */
  countOn(day: DayNumber, dayStartHour: number): number;
  /** Sums of quantity on a local day by wall-clock hour 0..23. Throws RangeError where that day is not loaded. */
  hoursOn(day: DayNumber, dayStartHour: number): readonly number[];
  /** Throws RangeError where that day is not loaded. */
  marksOn(day: DayNumber, dayStartHour: number): DayMarks;
  /** The local days with at least one puff among those that are loaded, ascending. */
  activeDays(dayStartHour: number): readonly DayNumber[];
  /** Of the wall dates from this one on that have a live puff, among those that are loaded; ascending by date. */
  spans(from: DayNumber): readonly DateSpan[];
}
