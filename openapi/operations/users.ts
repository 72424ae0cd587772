import type { EndpointName } from '@pufftrack/contract';
import { goal, stats, user } from './examples.ts';
import type { OperationTexts } from './operation-text.ts';

const consents = [
  { purpose: 'terms' as const, version: '1', granted: true },
  { purpose: 'friends-sharing' as const, version: '1', granted: false },
];
const consentList = {
  consents: consents.map((consent) => ({ ...consent, at: '2026-10-21T10:00:00.000Z' })),
};

export const userOperations = {
  getMe: {
    description: 'The profile as its owner sees it. No other account sees the e-mail address.',
    answers: { 200: 'The profile.' },
    response: { 200: user },
  },
  patchMe: {
    description:
      'An absent member keeps its value; null clears it to the default. Patch `timeZone` when the zone of the phone changes, before puffs are sent: a puff or a device registration never changes it. The number of stored zone changes is bounded (`limit-reached`).',
    request: { timeZone: 'Europe/Berlin', dayStartHour: 4 },
    answers: { 200: 'The changed profile.' },
    response: { 200: user },
  },
  putMe: {
    description: 'An alias of `PATCH /users/me`: absent members keep their values.',
    request: { name: 'Alice', weekStart: 'monday' },
    answers: { 200: 'The changed profile.' },
    response: { 200: user },
  },
  rotateFriendCode: {
    description: 'The previous code is invalid from the answer on. Friendships and sent requests stay.',
    answers: { 200: 'The new friend code.' },
    response: { 200: { friendCode: '7K3M9Q2XZA' } },
  },
  putGhost: {
    description:
      'Starts ghost mode or changes its end; `until` is in the future and at most ten years ahead, otherwise 422. Friends keep the last summary, marked `resting`, and receive no events. The own view of the caller does not change.',
    request: { until: '2026-10-28T00:00:00.000Z' },
    answers: { 200: 'Ghost mode is in force.' },
    response: { 200: { since: '2026-10-21T10:00:00.000Z', until: '2026-10-28T00:00:00.000Z' } },
  },
  deleteGhost: {
    description: 'Sharing continues. What happened in ghost mode is not published later.',
    answers: { 204: 'Ghost mode has ended, or was not in force.' },
  },
  deleteMe: {
    description:
      'Requires a sign-in within the last 5 minutes, otherwise 401 `reauth-required`. Every session ends at once; sockets receive `sessionEnded` with the reason `account-gone`. A first erasure pass runs at once, and a pass at least 90 s after the deletion completes the erasure, within 24 h at most.',
    request: { authorizationCode: 'c1a2b3' },
    answers: { 202: 'The account is deleted and its erasure is under way.' },
    response: { 202: { manualRevocationRequired: false } },
  },
  getConsents: {
    description: 'The newest consent event of each purpose.',
    answers: { 200: 'The consents.' },
    response: { 200: consentList },
  },
  putConsents: {
    description:
      'A purpose that is not in the list keeps its state. A grant needs the version in force, otherwise 422 `consent-version`; a withdrawal accepts any version. A withdrawal of `terms` or `health-processing` is answered when this process has stored or rejected every puff that it had admitted before; other processes follow within 5 s. A change of `friends-sharing` sends `friendUpdated` to the friends whose view changes. `terms` and `health-processing` gate puffs, goals and check-ins, but not deletion and undo; `friends-sharing` gates requests, invites and everything that friends see; `leaderboard` whether boards of friends list the account; `push` APNs.',
    request: { consents },
    answers: { 200: 'The consents after the change.' },
    response: { 200: consentList },
  },
  getLegalVersions: {
    description: 'Send these versions with a consent. A purpose without a text is absent.',
    answers: { 200: 'The version in force, by purpose.' },
    response: {
      200: {
        terms: '1',
        'health-processing': '1',
        'friends-sharing': '1',
        leaderboard: '1',
        push: '1',
        insights: '1',
      },
    },
  },
  getStats: {
    description:
      'All counts are sums of `quantity` over all products, by local days of the account. Order two `stats` by (`revision`, `asOf`): settings, check-ins and the rollover of the local day change stats without a new revision.',
    answers: { 200: 'The statistics at `asOf`.' },
    response: {
      200: {
        ...stats,
        streaks: { ...stats.streaks, abstinenceSeconds: { current: 1, best: 561_600 } },
        longestGapTodaySeconds: 5_400,
      },
    },
  },
  getStatsDays: {
    description: 'Lists every day from `from` to `to`, both inclusive, also those without a puff.',
    answers: { 200: 'One entry for each day, oldest first.' },
    response: {
      200: {
        days: [
          {
            day: '2026-10-21',
            count: 4,
            status: 'confirmed',
            limit: 12,
            hours: [0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
          },
        ],
      },
    },
  },
  getStatsHours: {
    description:
      'Sums by weekday and wall-clock hour. Divide by the number of days of a weekday for a mean; `confirmedDays` says how many days the sums rest on.',
    answers: { 200: '168 sums, Monday 00 first.' },
    response: {
      200: { bins: Array.from({ length: 168 }, (_, hour) => (hour % 24 === 9 ? 2 : 0)), confirmedDays: 26 },
    },
  },
  getGoal: {
    description: 'The goal that was set last. Until `effectiveFrom` the previous goal is in force.',
    answers: { 200: 'The goal.' },
    response: { 200: goal },
  },
  putGoal: {
    description:
      'A first or lower limit counts from the day on which it is set, a higher one or none from the next day. Limits of past days never change. Requires `terms` and `health-processing`. The goal history is bounded (`limit-reached`).',
    request: { mode: 'reduce', dailyLimit: 12 },
    answers: { 200: 'The goal as stored.' },
    response: { 200: goal },
  },
  checkIn: {
    description:
      'Confirms days without puffs among the past 30; `none: false` withdraws the check-in. Today and future days are 422. A day with puffs stays as it is, because a puff has precedence over a check-in. A check-in more than 3 days after its day does not count on boards.',
    request: { days: ['2026-10-20'], none: true },
    answers: { 200: 'The statistics after the change.' },
    response: { 200: stats },
  },
} satisfies Partial<OperationTexts<EndpointName>>;
