/** Consecutive complete local days; both lists have the same indices. */
export interface CountedDays {
  readonly counts: readonly number[];
  readonly isConfirmed: readonly boolean[];
}

/**
 * The mean count of the confirmed days at the indices `from`..`to`; null where fewer than `least` are confirmed
 * (domain.md D4). Not rounded. Example: 10, 4 and an unknown day, least 2: 7.
 */
export const averageOf = (
  { counts, isConfirmed }: CountedDays,
  { from, to, least }: { from: number; to: number; least: number },
): number | null => {
  let [sum, days] = [0, 0];
  for (let index = from; index <= to; index++) {
    if (!isConfirmed[index]) continue;
    sum += counts[index] ?? 0;
    days += 1;
  }
  return days < least ? null : sum / days;
};

/** The relative change with three decimals; null if either value is null or the earlier one is 0. 6 after 8: -0.25. */
export const changeOf = (now: number | null, before: number | null): number | null => {
  if (now === null || before === null || before === 0) return null;
  // `+ 0` turns -0 into 0.
  return Math.round((now / before - 1) * 1000) / 1000 + 0;
};
