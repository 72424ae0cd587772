import { startOfMonth, type DayNumber } from '../../puffs/index.ts';

const leastDaysBack = 35;

/**
 * The last day of the settled past: the end of a month, 35 to 65 days before today. What comes after is walked with
 * every read; check-ins (30 days back at most), averages and the month so far lie in it, and so do most late puffs.
 * On 25 November: 30 September, because 35 days before is in October.
 */
export const settledThrough = (today: DayNumber): DayNumber => startOfMonth(today - leastDaysBack) - 1;
