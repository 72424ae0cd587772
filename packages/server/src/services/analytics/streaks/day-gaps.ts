import { localDayOf, type DayNumber, type Moment, type PuffHistory } from '../../puffs/index.ts';
import { longestGapMs, secondsOf, stretchOf, type Stretch } from './gaps.ts';

/** A local day shares time with dates up to two before its own, whatever the zones. */
const datesBefore = 2;

/** What is known of a local day and all puffs after its first one: a stretch, or which records (ms) tell. */
export type DayGaps =
  { readonly stretch: Stretch } | { readonly stretch: null; readonly from: number; readonly to: number };

/**
 * Spans tell where the local day is made of whole dates, as it mostly is whatever the `dayStartHour` (nobody puffed in
 * the hours around it that belong to other days), and no earlier date reaches into it. Undefined without a puff on it.
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
 * @param moments ascending; earlier ones of other days do no harm.
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
 * The longest stretch without a puff since the first one of a day, the running one included (domain.md D5); whole seconds.
 * Example: puffs at 6:00 and 9:00, now 10:00: 10,800.
 */
export const dayGapSeconds = (longestMs: number, lastPuffAt: number, now: number): number =>
  secondsOf(Math.max(longestMs, now - lastPuffAt));
