import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { Day, Instant } from '../values.ts';

export const Streak = z
  .object({
    current: z.number().int().meta({ description: 'Days of the run that is alive.' }),
    best: z.number().int().meta({ description: 'The longest run ever.' }),
    startedOn: Day.nullable(),
    unconfirmedDays: z
      .number()
      .int()
      .meta({ description: 'Days of the run without a puff and without a check-in.' }),
    endedReason: z
      .enum(['puff', 'over-limit'])
      .nullable()
      .meta({ description: 'What ended the last run; null while one is alive.' }),
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
    dailyPuffCount: z.number().int().meta({ description: 'Today.' }),
    weeklyPuffCount: z
      .number()
      .int()
      .meta({ description: 'The week of today, from `weekStart` of the profile on.' }),
    monthlyPuffCount: z.number().int().meta({ description: 'The calendar month of today.' }),
    totalPuffCount: z.number().int().meta({ description: 'All puffs.' }),
    streakDays: z.number().int().meta({ description: '`streaks.puffFreeDays.current`.' }),
    streaks: z.object({
      puffFreeDays: Streak,
      underLimitDays: Streak,
      abstinenceSeconds: z.object({
        current: z
          .number()
          .int()
          .nullable()
          .meta({ description: 'Since the last puff, or since the quit; null: never a puff and no quit.' }),
        best: z.number().int().optional().meta({
          description:
            'The longest ever, the current one included; absent where current is null. In GET /users/stats alone.',
        }),
      }),
    }),
    dailyLimit: z.number().int().nullable().meta({ description: 'The limit in force today.' }),
    lastPuffAt: Instant.nullable(),
    average7: z.number().nullable().meta({
      description: 'Mean over the confirmed days among the last 7 complete local days; null under 3.',
    }),
    average30: z.number().nullable().meta({
      description: 'Mean over the confirmed days among the last 30 complete local days; null under 10.',
    }),
    changeVsPreviousWeek: z.number().nullable().meta({
      description:
        'average7 / the same 7 days earlier - 1, three decimals; null if either is null or 0 before.',
    }),
    longestGapTodaySeconds: z.number().int().optional().meta({
      description:
        'The longest stretch without a puff since the first one of today, the running one included; absent without a puff today. In GET /users/stats alone.',
    }),
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

export const DayStatus = z.enum(['confirmed', 'unknown', 'skipped', 'paused']);
export type DayStatus = z.infer<typeof DayStatus>;

export const StatsDay = z
  .object({
    day: Day,
    count: z.number().int().meta({ description: 'Units of the day.' }),
    status: DayStatus.meta({
      description:
        'confirmed: with a puff, or a check-in that there was none; skipped: hardly existed (date line); unknown: neither.',
    }),
    limit: z.number().int().nullable().meta({ description: 'The limit in force on that day; null: none.' }),
    hours: z
      .array(z.number().int())
      .length(24)
      .meta({ description: 'By wall-clock hour; hours before dayStartHour are those of the next date.' }),
  })
  .meta({ id: 'StatsDay', description: 'One local day.' });
export type StatsDay = z.infer<typeof StatsDay>;

const dayMs = 86_400_000;
const maxDays = 400;

export const getStatsDays = endpoint({
  method: 'GET',
  path: '/users/stats/days',
  tag: 'analytics',
  auth: 'user',
  summary: 'Counts by local day, every day listed',
  query: z
    .object({
      from: Day.meta({ description: 'Inclusive.' }),
      to: Day.meta({ description: 'Inclusive; at most 400 days.' }),
    })
    .refine(
      ({ from, to }) => {
        const days = (Date.parse(to) - Date.parse(from)) / dayMs + 1;
        return days >= 1 && days <= maxDays;
      },
      { path: ['to'], error: `must be from 0 to ${maxDays - 1} days after from` },
    ),
  responses: { 200: z.object({ days: z.array(StatsDay) }) },
  problems: [],
});

export const HourBins = z
  .object({
    bins: z.array(z.number().int()).length(168).meta({ description: 'Hours of the week, Monday 00 first.' }),
    confirmedDays: z.number().int().meta({ description: 'Confirmed days among those of the sums.' }),
  })
  .meta({ id: 'HourBins', description: 'Sums by the weekday and hour that the wall showed.' });
export type HourBins = z.infer<typeof HourBins>;

export const getStatsHours = endpoint({
  method: 'GET',
  path: '/users/stats/hours',
  tag: 'analytics',
  auth: 'user',
  summary: 'When in the week the puffs of the last days fell',
  query: z.object({
    days: z
      .string()
      .regex(/^[0-9]{1,9}$/, { error: 'must be a whole number' })
      .transform(Number)
      .pipe(z.number().min(7).max(365))
      .default(28)
      .meta({ description: 'Local days that end with today, 7..365.' }),
  }),
  responses: { 200: HourBins },
  problems: [],
});
