/** Consecutive complete local days; the same places in both lists. */
export interface CountedDays {
  readonly counts: readonly number[];
  readonly isConfirmed: readonly boolean[];
}

/**
 * Mean count of the confirmed days at the places `from`..`to`; null where fewer than `least` are confirmed
 * (domain.md D4). Unrounded. Example: 10, 4 and an unknown day, least 2: 7.
 */
export const averageOf = (
  { counts, isConfirmed }: CountedDays,
  { from, to, least }: { from: number; to: number; least: number },
): number | null => {
  let [sum, days] = [0, 0];
  for (let place = from; place <= to; place++) {
    if (!isConfirmed[place]) continue;
    sum += counts[place] ?? 0;
    days += 1;
  }
  return days < least ? null : sum / days;
};

/** Relative change, to three decimals; null if either is null or the earlier is 0. 6 after 8: -0.25. */
export const changeOf = (now: number | null, before: number | null): number | null => {
  if (now === null || before === null || before === 0) return null;
  // `+ 0` turns -0 into 0.
  return Math.round((now / before - 1) * 1000) / 1000 + 0;
};
