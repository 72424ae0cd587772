import type { DayAggregate, MonthAggregates } from '../domain/day-aggregate.ts';
import { dayNumberOf, dayOf, type DayNumber } from '../../../domain/local-day.ts';

/** What is known of one wall month, as its checkpoint stores it; everything up to `rev` is in it. */
export interface MonthDoc {
  _id: string;
  person: string;
  month: string;
  rev: number;
  /** Day of the month (`01`..`31`) to 24 hour sums. */
  days: Record<string, number[]>;
  /**
   * Day of the month to what else is known of it, see `packAggregate`. Versions before this field write the row without
   * them, or leave those of an earlier `rev` in it.
   */
  facts?: Record<string, number[]>;
  /** The `rev` that the facts belong to. */
  factsRev?: number;
  /** Day of the month to both masks of its `LateRemovals`, where there is any; with a `rev` of its own, as the facts. */
  trims?: Record<string, number[]>;
  trimsRev?: number;
}

export const monthIdOf = (person: string, month: string): string => `${person}:${month}`;

export const monthDocOf = (
  { person, month, rev }: Pick<MonthDoc, 'person' | 'month' | 'rev'>,
  dates: MonthAggregates,
): MonthDoc => ({
  _id: monthIdOf(person, month),
  person,
  month,
  rev,
  days: Object.fromEntries(
    [...dates].flatMap(([date, { hours, span }]) => (span ? [[keyOf(date), [...hours]]] : [])),
  ),
  facts: Object.fromEntries(
    [...dates].map(([date, aggregate]) => [keyOf(date), packAggregate(date, aggregate)]),
  ),
  factsRev: rev,
  trims: Object.fromEntries(
    [...dates].flatMap(([date, { lateRemovals }]) =>
      lateRemovals.day || lateRemovals.eve ? [[keyOf(date), [lateRemovals.day, lateRemovals.eve]]] : [],
    ),
  ),
  trimsRev: rev,
});

/** Undefined for a row whose facts or trims are missing or belong to another `rev`: it is as good as not there. */
export const aggregatesOfMonthDoc = (doc: MonthDoc): Map<DayNumber, DayAggregate> | undefined => {
  if (!doc.facts || doc.factsRev !== doc.rev || doc.trimsRev !== doc.rev) return undefined;
  return new Map(
    Object.entries(doc.facts).map(([key, packed]) => {
      const date = dayNumberOf(`${doc.month}-${key}`);
      const [day = 0, eve = 0] = doc.trims?.[key] ?? [];
      return [date, { ...unpackAggregate(date, packed, doc.days[key]), lateRemovals: { day, eve } }];
    }),
  );
};

const keyOf = (date: DayNumber) => dayOf(date).slice(8);

const dayMs = 86_400_000;

/**
 * The on-time hours; 0, where versions before `trims` read a mask of hours; then with a live puff its first and last
 * instant and the two of the gap, in ms after midnight UTC of the date so that each fits into 32 bits, and 1 where the
 * gap is exact.
 */
const packAggregate = (date: DayNumber, { onTimeHours, span }: DayAggregate): number[] => {
  if (!span) return [onTimeHours, 0];
  const { first, last, gapFrom, gapTo, gapIsExact } = span;
  const instants = [first, last, gapFrom, gapTo].map((instant) => instant - date * dayMs);
  return [onTimeHours, 0, ...instants, gapIsExact ? 1 : 0];
};

const unpackAggregate = (
  date: DayNumber,
  [onTimeHours = 0, , first, last, gapFrom, gapTo, isExact]: readonly number[],
  hours: readonly number[] = new Array<number>(24).fill(0),
): Omit<DayAggregate, 'lateRemovals'> => {
  const at = (offset = 0) => date * dayMs + offset;
  return {
    hours: [...hours],
    onTimeHours,
    span:
      first === undefined
        ? undefined
        : {
            first: at(first),
            last: at(last),
            gapFrom: at(gapFrom),
            gapTo: at(gapTo),
            gapIsExact: isExact === 1,
          },
  };
};
