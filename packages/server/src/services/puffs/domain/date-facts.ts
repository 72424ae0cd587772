import type { DayNumber } from '../../../domain/local-day.ts';
import type { Counted } from './log-record.ts';
import { addToSpan, spanAt, type Span } from './span.ts';
import { joinTrims, noTrims, trimsOf, type Trims } from './trims.ts';

/** What the state holds of one wall date. */
export interface DateFacts {
  /** Sums of quantity by wall hour 0..23. */
  readonly hours: number[];
  /** Bit h: wall hour h has a live puff that came there at most 48 h after it happened. */
  timelyHours: number;
  /**
   * What was taken from here more than 24 h after it happened, and is not back. Known for as long as the content of the
   * puff is kept; a count of later knows nothing of it.
   */
  trims: Trims;
  /** Undefined without a live puff. */
  span: Span | undefined;
}

/** The dates of one wall month of which there is something to say. */
export type MonthFacts = ReadonlyMap<DayNumber, DateFacts>;

const newFacts = (): DateFacts => ({
  hours: new Array<number>(24).fill(0),
  timelyHours: 0,
  trims: noTrims,
  span: undefined,
});

export const factsIn = (dates: Map<DayNumber, DateFacts>, date: DayNumber): DateFacts => {
  let facts = dates.get(date);
  if (!facts) {
    facts = newFacts();
    dates.set(date, facts);
  }
  return facts;
};

/** Counts a live puff in place; `cameLate` as in `DatedPuff`. */
export const addPuff = (
  facts: DateFacts,
  { wall, timestamp, quantity }: Counted,
  cameLate: boolean,
): void => {
  const { hours } = facts;
  hours[wall.hour] = (hours[wall.hour] ?? 0) + quantity;
  if (!cameLate) facts.timelyHours |= 1 << wall.hour;
  if (facts.span) addToSpan(facts.span, timestamp);
  else facts.span = spanAt(timestamp);
};

/** A live puff as its record has it. */
export interface DatedPuff extends Counted {
  readonly id: string;
  /** Whether it came to the day on which it stands more than 48 h after it happened. */
  readonly cameLate: boolean;
}

/** What a change took from where it stood, more than 24 h after it happened. */
export interface TakenPuff extends Counted {
  /** The puff's id. */
  readonly target: string;
}

/** The facts of all dates that these puffs stand on, or were taken from, from the records alone. */
export const factsOf = (
  puffs: readonly DatedPuff[],
  taken: readonly TakenPuff[],
): Map<DayNumber, DateFacts> => {
  const dates = new Map<DayNumber, DateFacts>();
  // In the order of time no puff splits a gap.
  for (const puff of [...puffs].sort((a, b) => a.timestamp - b.timestamp))
    addPuff(factsIn(dates, puff.wall.dayNumber), puff, puff.cameLate);
  const standing = new Map(taken.length === 0 ? [] : puffs.map((puff) => [puff.id, puff]));
  for (const each of taken) {
    const trims = trimsOf(each, standing.get(each.target));
    if (trims.day === 0 && trims.eve === 0) continue;
    const facts = factsIn(dates, each.wall.dayNumber);
    facts.trims = joinTrims(facts.trims, trims);
  }
  return dates;
};
