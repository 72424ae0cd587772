import { offsetMinutesAt } from '../../../domain/time-zones.ts';
import { localDayAt, type DayNumber } from '../../puffs/index.ts';

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
    const aheadMs = (offsetMinutesAt(timeZone, at + scanStepMs) - before) * 60_000;
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

/** Remembers what it has answered: neighbouring days ask for the same. */
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

/** Where on earth a local day may lie, in ms, whatever the zone and the start of the day. */
const boundsOf = (day: DayNumber) => ({
  low: day * dayMs - 15 * hourMs,
  high: (day + 2) * dayMs + 15 * hourMs,
});

/** How long a local day lasted where the person was, in ms. */
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

/** The place of the last period that has begun by an instant (ms); 0 without any. */
const lastBegunBy = (periods: readonly ZonePeriod[], instant: number): number => {
  let [low, high] = [0, periods.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((periods[middle]?.from ?? Infinity) <= instant) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
};

/** The first instant (ms) of a local day in one zone; of a day that was left out, that of the next. */
const startOf = (day: DayNumber, timeZone: string, dayStartHour: number, offsetOn: OffsetOn): number => {
  const { low, high } = boundsOf(day);
  const offset = offsetOn(timeZone, day);
  // Hardly ever does a clock change within these days; a search has to look for the instant only then.
  const isEven = [-1, 1, 2, 3].every((after) => offsetOn(timeZone, day + after) === offset);
  if (isEven) return day * dayMs + dayStartHour * hourMs - offset * 60_000;
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
