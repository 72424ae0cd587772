import { DomainError } from '../../platform/errors.ts';
import { dayNumberOf, type DayNumber } from '../puffs/index.ts';

const maxDaysBack = 30;

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
