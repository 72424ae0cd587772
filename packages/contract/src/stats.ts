import { z } from 'zod';
import { endpoint } from './endpoint.ts';
import { Day, Instant } from './values.ts';

export const Streak = z
  .object({
    current: z.number().int(),
    best: z.number().int(),
    startedOn: Day.nullable(),
    unconfirmedDays: z
      .number()
      .int()
      .meta({ description: 'Days of the run without a puff and without a check-in.' }),
    endedReason: z.enum(['puff', 'over-limit']).nullable(),
    provisional: z.boolean().meta({ description: 'The run is alive and today may still break it.' }),
  })
  .meta({ id: 'Streak', description: 'A run of local days that ends yesterday; today adds nothing.' });
export type Streak = z.infer<typeof Streak>;

export const UserStats = z
  .object({
    userId: z.string(),
    asOf: Instant,
    revision: z
      .number()
      .int()
      .meta({ description: 'Every puff up to this number of the person is counted.' }),
    timeZone: z.string(),
    today: Day,
    dailyPuffCount: z.number().int(),
    weeklyPuffCount: z.number().int(),
    monthlyPuffCount: z.number().int(),
    totalPuffCount: z.number().int(),
    streakDays: z.number().int(),
    streaks: z.object({
      puffFreeDays: Streak,
      underLimitDays: Streak,
      abstinenceSeconds: z.object({
        current: z.number().int().nullable(),
        best: z.number().int().optional(),
      }),
    }),
    dailyLimit: z.number().int().nullable(),
    lastPuffAt: Instant.nullable(),
    average7: z.number().nullable(),
    average30: z.number().nullable(),
    changeVsPreviousWeek: z.number().nullable(),
    longestGapTodaySeconds: z.number().int().optional(),
  })
  .meta({ id: 'UserStats', description: 'Counts are sums of quantity over all products, by local days.' });
export type UserStats = z.infer<typeof UserStats>;

export const getStats = endpoint({
  method: 'GET',
  path: '/users/stats',
  tag: 'analytics',
  auth: 'user',
  summary: 'Counts and streaks of the person, now',
  responses: { 200: UserStats },
  problems: [],
});
