/** A complete local day with what is known of it. */
export interface CountedDay {
  readonly count: number;
  readonly isConfirmed: boolean;
}

/**
 * Mean count of the confirmed days; null where fewer than `least` are confirmed (domain.md D4). Unrounded.
 * Example: 10, 4 and an unknown day, least 2: 7.
 */
export const averageOf = (days: readonly CountedDay[], least: number): number | null => {
  const confirmed = days.filter(({ isConfirmed }) => isConfirmed);
  if (confirmed.length < least) return null;
  return confirmed.reduce((sum, { count }) => sum + count, 0) / confirmed.length;
};

/** Relative change, to three decimals; null if either is null or the earlier is 0. 6 after 8: -0.25. */
export const changeOf = (now: number | null, before: number | null): number | null => {
  if (now === null || before === null || before === 0) return null;
  // `+ 0` turns -0 into 0.
  return Math.round((now / before - 1) * 1000) / 1000 + 0;
};
