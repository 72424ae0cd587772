import type { Friend, Goal, Puff, User, UserStats } from '@pufftrack/contract';

/** Values that several examples show: one account on one afternoon. */
export const userId = '01JB0ZQ4W8H3M5N7P9R1S3T5V7';
export const friendId = '01JB0ZR6X2K4M6N8P0Q2R4S6T8';
export const objectId = '6717c1f0a1b2c3d4e5f60718';
export const puffId = '0192f0c1-7e4b-7c3a-9d52-1f2e3a4b5c6d';
export const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIwMUpCIn0.c2lnbmF0dXJl';

export const puff: Puff = {
  id: puffId,
  timestamp: '2026-10-21T10:15:00.000Z',
  timeZone: 'Europe/Berlin',
  day: '2026-10-21',
  deviceId: 'iphone-1',
  quantity: 1,
  product: 'vape',
  trigger: 'coffee',
  receivedAt: '2026-10-21T10:15:01.250Z',
  backdated: false,
  revision: 812,
};

export const stats: UserStats = {
  userId,
  asOf: '2026-10-21T10:15:01.260Z',
  revision: 812,
  timeZone: 'Europe/Berlin',
  today: '2026-10-21',
  dailyPuffCount: 4,
  weeklyPuffCount: 19,
  monthlyPuffCount: 143,
  totalPuffCount: 2980,
  streakDays: 0,
  streaks: {
    puffFreeDays: {
      current: 0,
      best: 6,
      startedOn: null,
      unconfirmedDays: 0,
      endedReason: 'puff',
      provisional: false,
    },
    underLimitDays: {
      current: 3,
      best: 11,
      startedOn: '2026-10-18',
      unconfirmedDays: 0,
      endedReason: null,
      provisional: true,
    },
    abstinenceSeconds: { current: 0 },
  },
  dailyLimit: 12,
  lastPuffAt: '2026-10-21T10:15:00.000Z',
  average7: 8.3,
  average30: 9.1,
  changeVsPreviousWeek: -0.112,
};

export const user: User = {
  id: userId,
  name: 'Alice',
  email: null,
  createdAt: '2026-09-01T08:00:00.000Z',
  lastLoginAt: '2026-10-21T06:30:00.000Z',
  timeZone: 'Europe/Berlin',
  locale: 'de-DE',
  dayStartHour: 4,
  weekStart: 'monday',
  product: 'vape',
  friendCode: '7K3M9Q2XZA',
  defaultShareLevel: 'summary',
  ageBand: '18+',
};

export const friend: Friend = {
  userId: friendId,
  name: 'Bob',
  since: '2026-10-01T12:00:00.000Z',
  shareLevel: 'summary',
  theirShareLevel: 'live',
  muted: false,
  summary: {
    todayCount: 2,
    dailyLimit: 10,
    average7: 6.4,
    changeVsPreviousWeek: -0.05,
    streakDays: 0,
    underLimitDays: 5,
  },
};

export const goal: Goal = {
  mode: 'reduce',
  dailyLimit: 12,
  plan: null,
  quitAt: null,
  limitToday: 12,
  effectiveFrom: '2026-10-21',
};

export const session = {
  accessToken: jwt,
  tokenType: 'Bearer' as const,
  expiresIn: 900,
  refreshToken: 'rt_5f0Qh3nX8vT1mYk2Zb7cWd9eLs4uPa6gRj',
  refreshExpiresIn: 5_184_000,
  user,
};
