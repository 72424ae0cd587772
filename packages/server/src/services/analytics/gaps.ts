/**
 * The longest stretch without a puff since the first one of a local day, the one that runs at the moment included; whole
 * seconds (domain.md D5). Undefined without a puff on that day. Example: puffs at 6:00 and 9:00, now 10:00: 10,800.
 *
 * @param instants ms, ascending.
 * @param now ms
 */
export const longestGapSeconds = (instants: readonly number[], now: number): number | undefined => {
  if (instants.length === 0) return undefined;
  let longest = 0;
  instants.forEach((instant, index) => {
    longest = Math.max(longest, (instants[index + 1] ?? now) - instant);
  });
  return Math.floor(longest / 1_000);
};
