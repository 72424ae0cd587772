import { dayMs, hourMs, minuteMs } from '../../../domain/durations.ts';
import { offsetMinutesAt } from '../../../domain/time-zones.ts';
import { type DayNumber, localDayAt } from '../../../domain/local-day.ts';
import type { ZonePeriod } from '../ports.ts';

const leastExistenceMs = 6 * hourMs;
/** No zone is further from UTC. */
const maxOffsetMs = 15 * hourMs;

/**
 * The local days of which less than 6 hours existed for the user (domain.md D1): after a flight over the date line, or in
 * a country that omitted a date. In UTC-10 until 23:00, then in UTC+14: one hour of the next day is left.
 *
 * A day can lose 18 hours only where the wall clock jumps ahead by more than 16 hours within three days (clock changes
 * can add two). So only days around such jumps are measured.
 */
export const skippedDays = (periods: readonly ZonePeriod[], dayStartHour: number): ReadonlySet<DayNumber> => {
  const near = new Set<DayNumber>();
  const jumps = jumpsOf(periods);
  let [oldest, aheadMs] = [0, 0];
  for (const jump of jumps) {
    aheadMs += jump.aheadMs;
    for (let old = jumps[oldest]; old && old.at <= jump.at - 3 * dayMs; old = jumps[++oldest])
      aheadMs -= old.aheadMs;
    if (aheadMs <= 16 * hourMs) continue;
    const day = localDayAt(jump.at, jump.timeZone, dayStartHour);
    // A client may set its zone many times a day: each day is measured once, however many jumps are near it.
    for (let one = day - 3; one <= day + 1; one++) near.add(one);
  }
  const offsetOn = createOffsets();
  return new Set(
    [...near].filter((day) => existenceMs(day, periods, dayStartHour, offsetOn) < leastExistenceMs),
  );
};

interface Jump {
  readonly at: number;
  readonly timeZone: string;
  readonly aheadMs: number;
}

/** The jumps ahead of the user's wall clock: a change of zone, or a zone that moved over the date line. */
const jumpsOf = (periods: readonly ZonePeriod[]): Jump[] => {
  const jumps = periods.flatMap(({ timeZone, from }, index) => {
    const start = index === 0 ? -Infinity : from;
    const end = periods[index + 1]?.from ?? Infinity;
    return dateLineMovesOf(timeZone).filter(({ at }) => at >= start && at < end);
  });
  periods.slice(1).forEach(({ timeZone, from }, index) => {
    const before = periods[index]?.timeZone ?? timeZone;
    const minutes = offsetMinutesAt(timeZone, from) - offsetMinutesAt(before, from - 1);
    jumps.push({ at: from, timeZone, aheadMs: Math.max(0, minutes * minuteMs) });
  });
  return jumps.sort((a, b) => a.at - b.at);
};

/** Zones rarely move over the date line: a scan in steps of a quarter finds every move. */
const scanStepMs = 91 * dayMs;
const scanFrom = Date.UTC(2005, 0);
const scanUntil = Date.UTC(2060, 0);
const moves = new Map<string, readonly Jump[]>();

const dateLineMovesOf = (timeZone: string): readonly Jump[] => {
  const known = moves.get(timeZone);
  if (known) return known;
  const found: Jump[] = [];
  for (let at = scanFrom; at < scanUntil; at += scanStepMs) {
    const before = offsetMinutesAt(timeZone, at);
    const aheadMs = (offsetMinutesAt(timeZone, at + scanStepMs) - before) * minuteMs;
    if (aheadMs <= 12 * hourMs) continue;
    const moved = firstWhere(
      at,
      at + scanStepMs,
      (instant) => offsetMinutesAt(timeZone, instant) > before + 720,
    );
    found.push({ at: moved, timeZone, aheadMs });
  }
  if (moves.size < 5_000) moves.set(timeZone, found);
  return found;
};

/** Minutes that a zone is ahead of UTC as a day begins in UTC. */
type OffsetOn = (timeZone: string, day: DayNumber) => number;

/** Memoized: neighbouring days need the same offsets. */
const createOffsets = (): OffsetOn => {
  const known = new Map<string, Map<DayNumber, number>>();
  return (timeZone, day) => {
    const days = known.get(timeZone) ?? new Map<DayNumber, number>();
    known.set(timeZone, days);
    const offset = days.get(day) ?? offsetMinutesAt(timeZone, day * dayMs);
    days.set(day, offset);
    return offset;
  };
};

/** The instants (ms) that a local day can contain, in any zone and with any start of the day. */
const boundsOf = (day: DayNumber) => ({
  low: day * dayMs - maxOffsetMs,
  high: (day + 2) * dayMs + maxOffsetMs,
});

/** How long a local day lasted for the user, in ms. */
export const existenceMs = (
  day: DayNumber,
  periods: readonly ZonePeriod[],
  dayStartHour: number,
  offsetOn = createOffsets(),
): number => {
  const { low, high } = boundsOf(day);
  const spans = new Map<string, { start: number; end: number }>();
  const spanIn = (timeZone: string) => {
    const known = spans.get(timeZone);
    if (known) return known;
    const start = startOf(day, timeZone, dayStartHour, offsetOn);
    const span = { start, end: startOf(day + 1, timeZone, dayStartHour, offsetOn) };
    spans.set(timeZone, span);
    return span;
  };
  let sum = 0;
  for (let index = lastBegunBy(periods, low); index < periods.length; index++) {
    const { timeZone, from } = periods[index] ?? {};
    if (timeZone === undefined || from === undefined || (from >= high && index > 0)) break;
    const began = index === 0 ? -Infinity : from;
    const ended = periods[index + 1]?.from ?? Infinity;
    const { start, end } = spanIn(timeZone);
    sum += Math.max(0, Math.min(end, ended) - Math.max(start, began));
  }
  return sum;
};

/** The index of the last period that has begun by an instant (ms); 0 without one. */
const lastBegunBy = (periods: readonly ZonePeriod[], instant: number): number => {
  let [low, high] = [0, periods.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((periods[middle]?.from ?? Infinity) <= instant) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
};

/** The first instant (ms) of a local day in one zone; for an omitted day, that of the next day. */
const startOf = (day: DayNumber, timeZone: string, dayStartHour: number, offsetOn: OffsetOn): number => {
  const { low, high } = boundsOf(day);
  const offset = offsetOn(timeZone, day);
  // The binary search is needed only where the offset changes within these days.
  const isConstant = [-1, 1, 2, 3].every((after) => offsetOn(timeZone, day + after) === offset);
  if (isConstant) return day * dayMs + dayStartHour * hourMs - offset * minuteMs;
  return firstWhere(low, high, (instant) => localDayAt(instant, timeZone, dayStartHour) >= day);
};

/** The first ms in (low, high] where a monotone condition holds. */
const firstWhere = (low: number, high: number, holds: (instant: number) => boolean): number => {
  let [before, after] = [low, high];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (holds(middle)) after = middle;
    else before = middle;
  }
  return after;
};
