import type { Plan } from '@pufftrack/contract';
import type { DayNumber } from '../../puffs/index.ts';

/** A plan as the rules use it: its first day as a number. Units a day. */
export type TaperPlan = Omit<Plan, 'startDay'> & { readonly startDay: DayNumber };

/** A curve that multiplies never reaches 0; half a unit is where it is said to. */
const leastFactorTarget = 0.5;

/**
 * The limit `dayOfPlan` days after the plan's first day (0 is that day), in whole units a day; domain.md D7. It never
 * rises, is the target exactly on the last day and stays there. Example: baseline 30, target 0, 20 days, linear: 29 on
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

/** Rounded up; a power that should be whole may lie above it by less than this. */
const wholeUnits = (units: number): number => Math.ceil(units - 1e-9);
