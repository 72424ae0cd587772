import type { DayStatus } from '@pufftrack/contract';

/**
 * The status of a local day (domain.md D4). A puff confirms the day and takes precedence over a check-in. A day of which
 * less than 6 hours existed (D1) is skipped only without both.
 */
export const dayStatus = (day: {
  readonly count: number;
  readonly isCheckedIn: boolean;
  readonly isSkipped: boolean;
}): DayStatus => {
  if (day.count > 0 || day.isCheckedIn) return 'confirmed';
  return day.isSkipped ? 'skipped' : 'unknown';
};
