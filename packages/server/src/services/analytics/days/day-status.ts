import type { DayStatus } from '@pufftrack/contract';

/**
 * What is known of a local day (domain.md D4). A puff confirms it, and wins over the person's word that there was
 * none; a day that hardly existed (D1) is skipped only where there is neither.
 */
export const dayStatus = (day: {
  readonly count: number;
  readonly isCheckedIn: boolean;
  readonly isSkipped: boolean;
}): DayStatus => {
  if (day.count > 0 || day.isCheckedIn) return 'confirmed';
  return day.isSkipped ? 'skipped' : 'unknown';
};
