import { DomainError } from '../../../platform/edge/errors.ts';
import { dayNumberOf, type DayNumber } from '../../puffs/index.ts';

const maxDaysBack = 30;
/** Further back than any check-in reaches, whatever zone and start of the day the person moves to meanwhile. */
export const checkInHistoryDays = maxDaysBack + 8;
/** So long after its day a check-in still counts where people are compared. */
const boardDaysBack = 3;

/** A person's word that there was nothing on a day; `at` (ms) is when they first gave it. */
export interface CheckIn {
  readonly day: DayNumber;
  readonly at: number;
}

/**
 * Whether boards take no notice of a check-in (domain.md D11), by the local day on which it was given. A word about
 * Friday counts until Monday; on Tuesday it is late. How many days one call named says nothing: a phone can also call
 * once for each.
 */
export const isLateCheckIn = (day: DayNumber, saidOn: DayNumber): boolean => saidOn - day > boardDaysBack;

/**
 * The days of a check-in as numbers, each once. Only past days of the last 30 can be checked in: today is not over.
 * Throws `invalid` naming each day that cannot.
 */
export const checkInDays = (days: readonly string[], today: DayNumber): DayNumber[] => {
  const numbers = days.map(dayNumberOf);
  const errors = numbers.flatMap((day, index) =>
    day < today && day >= today - maxDaysBack
      ? []
      : [{ path: `days.${index}`, message: `must be before today, by at most ${maxDaysBack} days` }],
  );
  if (errors.length > 0)
    throw new DomainError('invalid', { detail: 'A check-in is for past days of the last 30.', errors });
  return [...new Set(numbers)];
};
