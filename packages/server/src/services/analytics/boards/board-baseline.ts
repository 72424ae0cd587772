import type { DayNumber } from '../../puffs/index.ts';
import { isFrozen, measuredBaseline } from '../goals/baseline.ts';

/** 48 h after the end of a local day, in local days after it. */
const freezesAfterDays = 3;

export interface CountedDay {
  readonly day: DayNumber;
  /** Units. */
  readonly count: number;
}

/**
 * What `reduction` compares with: the median of the first 7 days that boards count, once the seventh has been over for
 * 48 h. Undefined before. `days` are all complete days that boards count, in their order.
 * Example: seven days in a row from the 1st: frozen from the 10th on.
 */
export const baselineToFreeze = (days: readonly CountedDay[], today: DayNumber): number | undefined => {
  const measured = measuredBaseline(days.map(({ count }) => count));
  if (!measured || !isFrozen(measured.days)) return undefined;
  const last = days[measured.days - 1];
  return last && today >= last.day + freezesAfterDays ? measured.baseline : undefined;
};
