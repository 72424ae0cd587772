import { type DayNumber, localDayOf } from '../../../domain/local-day.ts';
import type { Moment, PuffHistory } from '../../puffs/index.ts';
import { longestGapMs, secondsOf, stretchOf, type Stretch } from './gaps.ts';

/** A local day can overlap in time with up to two earlier dates, in any zones. */
const datesBefore = 2;

/** The gaps from the first puff of a local day on: a stretch, or the range of records (ms) that determines them. */
export type DayGaps =
  { readonly stretch: Stretch } | { readonly stretch: null; readonly from: number; readonly to: number };

/**
 * Spans are enough where the local day consists of whole dates (no puff in the hours of its dates that belong to other
 * days, the usual case for any `dayStartHour`) and no earlier date overlaps it. Undefined without a puff on the day.
 */
export const dayGapsOf = (
  history: PuffHistory,
  day: DayNumber,
  dayStartHour: number,
): DayGaps | undefined => {
  if (history.countOn(day, dayStartHour) === 0) return undefined;
  const spans = history.spans(day - datesBefore);
  const own = spans.filter(({ date }) => date === day || (dayStartHour > 0 && date === day + 1));
  const from = own.reduce((first, one) => Math.min(first, one.first), Infinity);
  const since = spans.filter(({ last }) => last >= from);
  const isWhole =
    dayStartHour === 0 ||
    (history.hoursOn(day - 1, dayStartHour).every((sum, hour) => hour >= dayStartHour || sum === 0) &&
      history.hoursOn(day + 1, dayStartHour).every((sum, hour) => hour < dayStartHour || sum === 0));
  const stretch = isWhole && since.every(({ first }) => first >= from) ? stretchOf(since) : null;
  return stretch
    ? { stretch }
    : { stretch, from, to: since.reduce((last, one) => Math.max(last, one.last), -Infinity) };
};

/**
 * The longest gap (ms) between neighbours from the first puff of a local day on; undefined without one.
 *
 * @param moments ascending; may begin with moments of earlier days.
 */
export const longestGapSince = (
  moments: readonly Moment[],
  day: DayNumber,
  dayStartHour: number,
): number | undefined => {
  const first = moments.findIndex(({ wall }) => localDayOf(wall, dayStartHour) === day);
  return first < 0 ? undefined : longestGapMs(moments.slice(first).map(({ timestamp }) => timestamp));
};

/**
 * The longest gap since the first puff of a day, the current one included (domain.md D5), in whole seconds.
 * Example: puffs at 6:00 and 9:00, now 10:00: 10,800.
 */
export const dayGapSeconds = (longestMs: number, lastPuffAt: number, now: number): number =>
  secondsOf(Math.max(longestMs, now - lastPuffAt));
