const wantedDays = 7;
const neededDays = 5;

export interface MeasuredBaseline {
  /** Units a day; between two counts where their number is even. */
  readonly baseline: number;
  /** How many days it was measured on; with the full 7 it is frozen. */
  readonly days: number;
}

/**
 * The median of the first 7 confirmed days (domain.md D7), from the counts of confirmed, complete days in their order.
 * Undefined under 5 days. Example: 10, 12, 9, 30, 11, 10, 12, 99: 11, because the eighth day does not count.
 */
export const measuredBaseline = (confirmedCounts: readonly number[]): MeasuredBaseline | undefined => {
  const counts = confirmedCounts.slice(0, wantedDays).sort((a, b) => a - b);
  if (counts.length < neededDays) return undefined;
  const middle = counts.length / 2;
  const [lower, upper] = [counts[Math.ceil(middle) - 1] ?? 0, counts[Math.floor(middle)] ?? 0];
  return { baseline: (lower + upper) / 2, days: counts.length };
};

/** Nothing that happens later changes a baseline that was measured on all its days. */
export const isFrozen = (days: number | null): boolean => days === wantedDays;
