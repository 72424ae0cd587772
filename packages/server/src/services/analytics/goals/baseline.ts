const wantedDays = 7;
const neededDays = 5;

export interface MeasuredBaseline {
  /** Units a day; the mean of the two middle counts where their number is even. */
  readonly baseline: number;
  /** The number of measured days; frozen with all 7. */
  readonly days: number;
}

/**
 * The median of the first 7 confirmed days (domain.md D7). `confirmedCounts` are the counts of complete confirmed days, in
 * order. Undefined with fewer than 5 days. Example: 10, 12, 9, 30, 11, 10, 12, 99: 11, because the eighth day does not count.
 */
export const measuredBaseline = (confirmedCounts: readonly number[]): MeasuredBaseline | undefined => {
  const counts = confirmedCounts.slice(0, wantedDays).sort((a, b) => a - b);
  if (counts.length < neededDays) return undefined;
  const middle = counts.length / 2;
  const [lower, upper] = [counts[Math.ceil(middle) - 1] ?? 0, counts[Math.floor(middle)] ?? 0];
  return { baseline: (lower + upper) / 2, days: counts.length };
};

/** A baseline that was measured on all its days never changes. */
export const isFrozen = (days: number | null): boolean => days === wantedDays;
