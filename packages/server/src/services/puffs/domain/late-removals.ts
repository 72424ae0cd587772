import { localDayOf } from '../../../domain/local-day.ts';
import type { CountedPuff } from './log-record.ts';
import { isRemovedLate } from './puff.ts';

/**
 * Which local days of a wall date have lost puffs late, for each hour that days may start at. Bit s of `day`: where days
 * start at hour s, the local day of this date has; bit s of `eve`: the one before it, to which the hours before s belong.
 */
export interface LateRemovals {
  readonly day: number;
  readonly eve: number;
}

export const noLateRemovals: LateRemovals = { day: 0, eve: 0 };

/**
 * Whether a change takes something from where a puff stood more than 24 h after it happened: a deletion, a lower
 * quantity, another date or hour. `at` in ms; null: not there before, or not there afterwards.
 */
export const removesLate = (before: CountedPuff | null, after: CountedPuff | null, at: number): boolean =>
  before !== null && isRemovedLate(before.timestamp, at) && !(after && stays(before, after));

const stays = ({ wall, quantity }: CountedPuff, after: CountedPuff): boolean =>
  after.wall.dayNumber === wall.dayNumber && after.wall.hour === wall.hour && after.quantity >= quantity;

/**
 * What a date has lost of a puff that was taken from it late: `taken` as it stood there, `standing` as it is now,
 * undefined where it is deleted. A local day has lost nothing where as much of the puff stands on it again, as after a
 * restore. Hours of other dates are not compared, so a puff that was moved over midnight within a night is lost to that
 * night.
 *
 * Example: 2 at 09:00, moved to 11:00. Only where days start at 10 or 11 has a day lost it: the one before this date's.
 */
export const lateRemovalsOf = (taken: CountedPuff, standing: CountedPuff | undefined): LateRemovals => {
  const { dayNumber } = taken.wall;
  const isBack = standing?.wall.dayNumber === dayNumber && standing.quantity >= taken.quantity;
  let { day, eve } = noLateRemovals;
  for (let dayStartHour = 0; dayStartHour < 24; dayStartHour++) {
    const localDay = localDayOf(taken.wall, dayStartHour);
    if (isBack && localDayOf(standing.wall, dayStartHour) === localDay) continue;
    if (localDay === dayNumber) day |= 1 << dayStartHour;
    else eve |= 1 << dayStartHour;
  }
  return { day, eve };
};

export const mergeLateRemovals = (a: LateRemovals, b: LateRemovals): LateRemovals => ({
  day: a.day | b.day,
  eve: a.eve | b.eve,
});
