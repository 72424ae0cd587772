import type { Connection } from 'mongoose';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Realtime } from '../platform/realtime/socket-server.ts';
import type { Metrics } from '../platform/telemetry/metrics.ts';
import { isKnownZone } from '../platform/time-zones.ts';
import { createAnalytics, type Analytics } from '../services/analytics/index.ts';
import { createAuth, type Auth } from '../services/auth/index.ts';
import { createNotifications, type Notifications } from '../services/notifications/index.ts';
import { createPuffs, type Puffs } from '../services/puffs/index.ts';
import { createUsers, type PersonSettings, type Users } from '../services/users/index.ts';

export interface Services {
  readonly auth: Auth;
  readonly users: Users;
  readonly puffs: Puffs;
  readonly analytics: Analytics;
  readonly notifications: Notifications;
}

/**
 * Builds the five services and gives each the few questions that it may ask the others. They know nothing of each
 * other; two of them ask in both directions, so the questions are closures that run only after all are built.
 */
export const createServices = (deps: {
  connection: Connection;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  auth: Parameters<typeof createAuth>[0]['config'];
  realtime: () => Realtime;
}): Services => {
  const { connection, clock, log, metrics } = deps;

  const notifications = createNotifications({
    realtime: deps.realtime,
    statsOf: (userId) => analytics.current(userId),
    friendsOf: (userId) => users.friendsOf(userId),
    liveFriendsOf: (userId) => users.liveFriendsOf(userId),
  });

  const users: Users = createUsers({
    connection,
    clock,
    isKnownZone,
    live: notifications,
    summaries: (people) => analytics.summaries(people),
    onProfileChanged: (person, fields) => analytics.profileChanged(person, fields),
  });

  const puffs: Puffs = createPuffs<PersonSettings>({
    connection,
    clock,
    logger: log,
    figures: metrics,
    person: users.settings,
    requireConsents: users.requireConsents,
    statsOf: (person, history) => analytics.statsOf(person, history),
    onRecorded: notifications.puffsRecorded,
    onChanged: notifications.puffsChanged,
  });

  const analytics: Analytics = createAnalytics({
    connection,
    clock,
    history: puffs.history,
    person: users.settings,
    people: users.settingsOfMany,
    boardFriendsOf: users.boardFriendsOf,
    changeSettings: users.changeSettings,
    onStatsChanged: notifications.statsChanged,
    jobPeople: users,
    onDayTurned: notifications.dayTurned,
    countByHour: puffs.countByHour,
  });

  const auth: Auth = createAuth({
    connection,
    clock,
    log,
    metrics,
    config: deps.auth,
    accounts: users.accounts,
    onSessionEnded: notifications.sessionEnded,
    openSessions: () => deps.realtime().openSessions(),
  });

  return { auth, users, puffs, analytics, notifications };
};
