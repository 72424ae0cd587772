import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { UserStats } from './stats.ts';
import { Day, Instant, optional, Product } from '../values.ts';

export const GoalMode = z.enum(['track', 'reduce', 'quit']).meta({ description: 'What the user aims at.' });
export type GoalMode = z.infer<typeof GoalMode>;

const DailyLimit = z.number().int().min(0).max(5000);

export const Plan = z
  .object({
    product: Product,
    unit: z
      .enum(['puffs', 'cigarettes', 'pouches'])
      .meta({ description: 'What the app shows beside the numbers.' }),
    baseline: z.number().positive().max(5000).meta({
      description: 'Units a day that the taper starts from; half a unit where a median lies between two.',
    }),
    baselineSource: z.enum(['measured', 'declared']).meta({
      description: 'measured: median of the first 7 confirmed days (at least 5), frozen; declared: as sent.',
    }),
    target: DailyLimit.meta({ description: 'The limit of the last day and of every day after it.' }),
    startDay: Day,
    lengthDays: z.number().int().min(7).max(365).meta({ description: 'Days from `startDay` to the target.' }),
    curve: z.enum(['linear', 'step7', 'exponential']).meta({
      description:
        'How the limit falls: each day by the same amount, each 7 days, or each day by the same share.',
    }),
  })
  .meta({ id: 'Plan', description: 'A taper from a baseline to a target; its limit never rises.' });
export type Plan = z.infer<typeof Plan>;

export const PlanInput = Plan.extend({
  baseline: optional(Plan.shape.baseline).meta({
    description: 'Required if declared. If measured, the server measures and what is sent is not used.',
  }),
}).meta({ id: 'PlanInput' });
export type PlanInput = z.infer<typeof PlanInput>;

export const GoalInput = z
  .object({
    mode: GoalMode,
    dailyLimit: DailyLimit.nullish().meta({ description: 'null: no daily limit.' }),
    plan: PlanInput.nullish().meta({ description: 'With `reduce` or `quit`; null: no plan.' }),
    quitAt: Instant.nullish().meta({
      description:
        'With `quit` alone: up to 10 years back or a year ahead; left out: as set before, or now if the goal was another; null: now.',
    }),
  })
  .meta({ id: 'GoalInput' });
export type GoalInput = z.infer<typeof GoalInput>;

export const Goal = z
  .object({
    mode: GoalMode,
    dailyLimit: DailyLimit.nullable().meta({ description: 'As sent; null: none.' }),
    plan: Plan.nullable(),
    quitAt: Instant.nullable(),
    limitToday: DailyLimit.nullable().meta({
      description: 'The limit in force today, by the plan where there is one.',
    }),
    effectiveFrom: Day.meta({
      description:
        'A first or lower limit counts from the day it is set, a higher one or none from the next; a later start as planned.',
    }),
  })
  .meta({
    id: 'Goal',
    description: 'The goal that was set last; until `effectiveFrom` the one before it holds.',
  });
export type Goal = z.infer<typeof Goal>;

export const getGoal = endpoint({
  method: 'GET',
  path: '/users/me/goal',
  tag: 'analytics',
  auth: 'user',
  summary: 'The goal of the account and the limit of today',
  responses: { 200: Goal },
  problems: [],
});

export const putGoal = endpoint({
  method: 'PUT',
  path: '/users/me/goal',
  tag: 'analytics',
  auth: 'user',
  summary: 'Set a goal; limits of the past stay as they were',
  body: GoalInput,
  responses: { 200: Goal },
  problems: ['consent-required', 'limit-reached'],
});

export const checkIn = endpoint({
  method: 'POST',
  path: '/users/me/check-ins',
  tag: 'analytics',
  auth: 'user',
  summary: 'Confirm past days without puffs, or withdraw the check-in',
  body: z.object({
    days: z.array(Day).min(1).max(30).meta({ description: 'Past local days.' }),
    none: z.boolean().meta({ description: 'false withdraws it. A day with puffs is left as it is.' }),
  }),
  responses: { 200: UserStats },
  problems: ['consent-required'],
});
