import { DomainError } from '../../../platform/edge/errors.ts';
import { type DayNumber, dayNumberOf } from '../../../domain/local-day.ts';

const maxDaysBack = 30;
/** Further back than any check-in reaches, whatever zone and start of the day the user changes to meanwhile. */
export const checkInHistoryDays = maxDaysBack + 8;
/** A check-in counts on boards up to this many days after its day. */
const boardDaysBack = 3;

/** The user's confirmation that a past day had no puff; `at` (ms) is the first time it was given. */
export interface CheckIn {
  readonly day: DayNumber;
  readonly at: number;
}

/**
 * Whether a check-in is too late for boards (domain.md D11). `givenOn` is the local day on which it was given.
 * A check-in for Friday counts until Monday; on Tuesday it is late. The number of days in one request decides nothing:
 * a client can also send one request for each day.
 */
export const isLateCheckIn = (day: DayNumber, givenOn: DayNumber): boolean => givenOn - day > boardDaysBack;

/**
 * The days of a check-in as numbers, without duplicates. Only past days of the last 30 are valid, because today is not
 * over. Throws `invalid` with the path of each other day.
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
