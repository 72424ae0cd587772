import type { Plan } from '@pufftrack/contract';
import type { DayNumber } from '../../../domain/local-day.ts';

/** A plan with its first day as a number. Units a day. */
export type TaperPlan = Omit<Plan, 'startDay'> & { readonly startDay: DayNumber };

/** An exponential curve never reaches 0, so it ends at half a unit. */
const leastFactorTarget = 0.5;

/**
 * The limit of day `dayOfPlan` of a plan (0 is its first day), in whole units a day (domain.md D7). It never rises, equals
 * the target on the last day and stays there. Example: baseline 30, target 0, 20 days, linear: 29 on
 * day 1, 2 on day 19, 0 on day 20.
 */
export const taperLimit = (
  { baseline, target, lengthDays, curve }: Omit<TaperPlan, 'startDay'>,
  dayOfPlan: number,
): number => {
  if (dayOfPlan >= lengthDays) return target;
  if (curve === 'exponential') {
    const factor = Math.max(target, leastFactorTarget) / baseline;
    return wholeUnits(baseline * factor ** (dayOfPlan / lengthDays));
  }
  const day = curve === 'step7' ? Math.floor(dayOfPlan / 7) * 7 : dayOfPlan;
  return wholeUnits(baseline - ((baseline - target) * day) / lengthDays);
};

/** Rounds up. Tolerates floating-point errors of a power that is mathematically whole. */
const wholeUnits = (units: number): number => Math.ceil(units - 1e-9);
