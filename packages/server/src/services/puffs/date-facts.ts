import type { DayNumber } from './local-day.ts';
import type { Counted } from './log-record.ts';
import { isBackdated, isTrimmed } from './puff.ts';
import { addToSpan, spanAt, type Span } from './span.ts';

/** What the state holds of one wall date. In masks, bit h stands for wall hour h. */
export interface DateFacts {
  /** Sums of quantity by wall hour 0..23. */
  readonly hours: number[];
  /** Hours with a live puff that was received at most 48 h after it happened. */
  timelyHours: number;
  /**
   * Hours of which a puff was deleted more than 24 h after it happened, and is deleted still. Known for as long as the
   * content of the deleted puff is kept; a count of later knows nothing of it.
   */
  trimmedHours: number;
  /** Undefined without a live puff. */
  span: Span | undefined;
}

/** The dates of one wall month of which there is something to say. */
export type MonthFacts = ReadonlyMap<DayNumber, DateFacts>;

const newFacts = (): DateFacts => ({
  hours: new Array<number>(24).fill(0),
  timelyHours: 0,
  trimmedHours: 0,
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

/** Counts a live puff in place; `receivedAt` in ms. */
export const addPuff = (
  facts: DateFacts,
  { wall, timestamp, quantity }: Counted,
  receivedAt: number,
): void => {
  const { hours } = facts;
  hours[wall.hour] = (hours[wall.hour] ?? 0) + quantity;
  if (!isBackdated(timestamp, receivedAt)) facts.timelyHours |= 1 << wall.hour;
  if (facts.span) addToSpan(facts.span, timestamp);
  else facts.span = spanAt(timestamp);
};

/** A puff as its record has it; instants in ms. */
export interface DatedPuff extends Counted {
  readonly receivedAt: number;
  /** Null while it lives. */
  readonly deletedAt: number | null;
}

/** The facts of all dates that these puffs stand on, from the puffs alone. */
export const factsOf = (puffs: readonly DatedPuff[]): Map<DayNumber, DateFacts> => {
  const dates = new Map<DayNumber, DateFacts>();
  // In the order of time no puff splits a gap.
  for (const puff of [...puffs].sort((a, b) => a.timestamp - b.timestamp)) {
    const { wall, timestamp, receivedAt, deletedAt } = puff;
    if (deletedAt === null) addPuff(factsIn(dates, wall.dayNumber), puff, receivedAt);
    else if (isTrimmed(timestamp, deletedAt)) factsIn(dates, wall.dayNumber).trimmedHours |= 1 << wall.hour;
  }
  return dates;
};
