import { offsetMinutesAt } from '../../platform/time-zones.ts';
import { localDayAt, type DayNumber } from '../puffs/index.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const leastExistenceMs = 6 * hourMs;

/** A zone that somebody lived in from an instant (ms) on; the first also holds for all time before. */
export interface ZonePeriod {
  readonly timeZone: string;
  readonly from: number;
}

/**
 * The local days of which less than 6 hours existed where the person was (domain.md D1): a flight over the date line,
 * or a country that left a date out. In UTC-10 until 23:00, then in UTC+14: of the next day one hour is left.
 *
 * Only a wall clock that jumps ahead by more than 16 hours within three days can lose 18 of a day (two hours are left
 * to clock changes), so days are measured around such jumps alone.
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
    // A phone may set its zone many times a day, so a day is measured once, however many jumps it lies near.
    for (let one = day - 3; one <= day + 1; one++) near.add(one);
  }
  return new Set([...near].filter((day) => existenceMs(day, periods, dayStartHour) < leastExistenceMs));
};

interface Jump {
  readonly at: number;
  readonly timeZone: string;
  readonly aheadMs: number;
}

/** Where the person's wall clock went ahead: by changing zones, or with a zone that moved over the date line. */
const jumpsOf = (periods: readonly ZonePeriod[]): Jump[] => {
  const jumps = periods.flatMap(({ timeZone, from }, index) => {
    const start = index === 0 ? -Infinity : from;
    const end = periods[index + 1]?.from ?? Infinity;
    return dateLineMovesOf(timeZone).filter(({ at }) => at >= start && at < end);
  });
  periods.slice(1).forEach(({ timeZone, from }, index) => {
    const before = periods[index]?.timeZone ?? timeZone;
    const minutes = offsetMinutesAt(timeZone, from) - offsetMinutesAt(before, from - 1);
    jumps.push({ at: from, timeZone, aheadMs: Math.max(0, minutes * 60_000) });
  });
  return jumps.sort((a, b) => a.at - b.at);
};

/** Zones seldom move over the date line; who looks each quarter of a year sees it. */
const lookEveryMs = 91 * dayMs;
const firstLook = Date.UTC(2005, 0);
const lastLook = Date.UTC(2060, 0);
const moves = new Map<string, readonly Jump[]>();

const dateLineMovesOf = (timeZone: string): readonly Jump[] => {
  const known = moves.get(timeZone);
  if (known) return known;
  const found: Jump[] = [];
  for (let at = firstLook; at < lastLook; at += lookEveryMs) {
    const before = offsetMinutesAt(timeZone, at);
    const aheadMs = (offsetMinutesAt(timeZone, at + lookEveryMs) - before) * 60_000;
    if (aheadMs <= 12 * hourMs) continue;
    const moved = firstWhere(
      at,
      at + lookEveryMs,
      (instant) => offsetMinutesAt(timeZone, instant) > before + 720,
    );
    found.push({ at: moved, timeZone, aheadMs });
  }
  if (moves.size < 5_000) moves.set(timeZone, found);
  return found;
};

/** Where on earth a local day may lie, in ms, whatever the zone and the start of the day. */
const boundsOf = (day: DayNumber) => ({
  low: day * dayMs - 15 * hourMs,
  high: (day + 2) * dayMs + 15 * hourMs,
});

/** How long a local day lasted where the person was, in ms. */
export const existenceMs = (day: DayNumber, periods: readonly ZonePeriod[], dayStartHour: number): number => {
  const { low, high } = boundsOf(day);
  const spans = new Map<string, { start: number; end: number }>();
  const spanIn = (timeZone: string) => {
    const known = spans.get(timeZone);
    if (known) return known;
    const start = startOf(day, timeZone, dayStartHour);
    const span = { start, end: startOf(day + 1, timeZone, dayStartHour) };
    spans.set(timeZone, span);
    return span;
  };
  return periods.reduce((sum, { timeZone, from }, index) => {
    const began = index === 0 ? -Infinity : from;
    const ended = periods[index + 1]?.from ?? Infinity;
    if (ended <= low || began >= high) return sum;
    const { start, end } = spanIn(timeZone);
    return sum + Math.max(0, Math.min(end, ended) - Math.max(start, began));
  }, 0);
};

/** The first instant (ms) of a local day in one zone; of a day that was left out, that of the next. */
const startOf = (day: DayNumber, timeZone: string, dayStartHour: number): number => {
  const { low, high } = boundsOf(day);
  return firstWhere(low, high, (instant) => localDayAt(instant, timeZone, dayStartHour) >= day);
};

/** The first ms in (low, high] where a condition holds that holds from some point on. */
const firstWhere = (low: number, high: number, holds: (instant: number) => boolean): number => {
  let [before, after] = [low, high];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (holds(middle)) after = middle;
    else before = middle;
  }
  return after;
};
