import type { DayNumber } from '../../../domain/local-day.ts';
import type { CountedPuff } from './log-record.ts';
import { addToSpan, spanAt, type Span } from './span.ts';
import { mergeLateRemovals, noLateRemovals, lateRemovalsOf, type LateRemovals } from './late-removals.ts';

/** What the state holds of one wall date. */
export interface DayAggregate {
  /** Sums of quantity by wall hour 0..23. */
  readonly hours: number[];
  /** Bit h: wall hour h has a live puff that came there at most 48 h after it happened. */
  onTimeHours: number;
  /**
   * What was taken from here more than 24 h after it happened, and is not back. Known for as long as the content of the
   * puff is kept; a count of later knows nothing of it.
   */
  lateRemovals: LateRemovals;
  /** Undefined without a live puff. */
  span: Span | undefined;
}

/** The dates of one wall month of which there is something to say. */
export type MonthAggregates = ReadonlyMap<DayNumber, DayAggregate>;

const emptyAggregate = (): DayAggregate => ({
  hours: new Array<number>(24).fill(0),
  onTimeHours: 0,
  lateRemovals: noLateRemovals,
  span: undefined,
});

export const aggregateIn = (dates: Map<DayNumber, DayAggregate>, date: DayNumber): DayAggregate => {
  let aggregate = dates.get(date);
  if (!aggregate) {
    aggregate = emptyAggregate();
    dates.set(date, aggregate);
  }
  return aggregate;
};

/** Counts a live puff in place; `cameLate` as in `DatedPuff`. */
export const addPuff = (
  aggregate: DayAggregate,
  { wall, timestamp, quantity }: CountedPuff,
  cameLate: boolean,
): void => {
  const { hours } = aggregate;
  hours[wall.hour] = (hours[wall.hour] ?? 0) + quantity;
  if (!cameLate) aggregate.onTimeHours |= 1 << wall.hour;
  if (aggregate.span) addToSpan(aggregate.span, timestamp);
  else aggregate.span = spanAt(timestamp);
};

/** A live puff as its record has it. */
export interface DatedPuff extends CountedPuff {
  readonly id: string;
  /** Whether it came to the day on which it stands more than 48 h after it happened. */
  readonly cameLate: boolean;
}

/** What a change took from where it stood, more than 24 h after it happened. */
export interface RemovedPuff extends CountedPuff {
  /** The puff's id. */
  readonly target: string;
}

/** The aggregate of all dates that these puffs stand on, or were taken from, from the records alone. */
export const aggregateDays = (
  puffs: readonly DatedPuff[],
  taken: readonly RemovedPuff[],
): Map<DayNumber, DayAggregate> => {
  const dates = new Map<DayNumber, DayAggregate>();
  // In the order of time no puff splits a gap.
  for (const puff of [...puffs].sort((a, b) => a.timestamp - b.timestamp))
    addPuff(aggregateIn(dates, puff.wall.dayNumber), puff, puff.cameLate);
  const standing = new Map(taken.length === 0 ? [] : puffs.map((puff) => [puff.id, puff]));
  for (const each of taken) {
    const lateRemovals = lateRemovalsOf(each, standing.get(each.target));
    if (lateRemovals.day === 0 && lateRemovals.eve === 0) continue;
    const aggregate = aggregateIn(dates, each.wall.dayNumber);
    aggregate.lateRemovals = mergeLateRemovals(aggregate.lateRemovals, lateRemovals);
  }
  return dates;
};
