import type { Streak } from '@pufftrack/contract';
import { dayOf, type DayNumber } from '../puffs/index.ts';

/** A streak that has not begun. */
export const noStreak: Streak = {
  current: 0,
  best: 0,
  startedOn: null,
  unconfirmedDays: 0,
  endedReason: null,
  provisional: false,
};

/**
 * Consecutive days without a puff that end yesterday (domain.md D5). They begin after the last day with a puff; today
 * adds nothing, and breaks the run the moment a puff lands on it. A day without a puff is unconfirmed: silence is not
 * success. Example: puffs on day 10 and 14, today 16: current 1, best 3.
 *
 * @param activeDays the local days with a puff, ascending; days after `today` (a flight west) do not count yet.
 */
export const puffFreeDays = (activeDays: readonly DayNumber[], today: DayNumber): Streak => {
  let last: DayNumber | undefined;
  let best = 0;
  for (const day of activeDays) {
    if (day > today) break;
    if (last !== undefined) best = Math.max(best, day - last - 1);
    last = day;
  }
  if (last === undefined) return noStreak;
  const current = last === today ? 0 : today - 1 - last;
  return {
    current,
    best: Math.max(best, current),
    startedOn: current > 0 ? dayOf(last + 1) : null,
    unconfirmedDays: current,
    endedReason: current > 0 ? null : 'puff',
    provisional: current > 0,
  };
};
