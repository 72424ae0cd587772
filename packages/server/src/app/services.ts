import type { Connection } from 'mongoose';
import type { Bus } from '../platform/bus/bus.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import type { Realtime } from '../platform/realtime/socket-server.ts';
import type { Metrics } from '../platform/telemetry/metrics.ts';
import { isKnownZone } from '../domain/time-zones.ts';
import { createAnalytics, type Analytics } from '../services/analytics/index.ts';
import { createAuth, type Auth } from '../services/auth/index.ts';
import { createCoaching, type Coaching } from '../services/coaching/index.ts';
import { createNotifications, type ApnsConfig, type Notifications } from '../services/notifications/index.ts';
import { createPuffs, type Puffs } from '../services/puffs/index.ts';
import { createUsers, type PersonalData, type UserSettings, type Users } from '../services/users/index.ts';

export interface Services {
  readonly auth: Auth;
  readonly users: Users;
  readonly puffs: Puffs;
  readonly analytics: Analytics;
  readonly notifications: Notifications;
  readonly coaching: Coaching;
}

/**
 * Builds the six services and passes each the ports of the others that it uses. Types and values come through another
 * service's `index.ts`; calls that reach state go through a port. Some services use each other in both directions, so
 * ports to a service that is not built yet are closures.
 */
export const createServices = (deps: {
  connection: Connection;
  clock: Clock;
  log: Logger;
  bus: Bus;
  /** What the processes share of an account beside the database. */
  sharedData: PersonalData;
  metrics: Metrics;
  auth: Parameters<typeof createAuth>[0]['config'];
  apns: ApnsConfig | undefined;
  realtime: () => Realtime;
}): Services => {
  const { connection, clock, log, bus, metrics } = deps;

  const notifications: Notifications = createNotifications({
    connection,
    clock,
    log,
    apns: deps.apns,
    realtime: deps.realtime,
    onAppended: (appended) => {
      bus.publish('inbox.appended', appended);
    },
    users: {
      settings: (userId) => users.settings(userId),
      settingsOfMany: (userIds) => users.settingsOfMany(userIds),
    },
    sharing: {
      friendsOf: (userId) => users.friendsOf(userId),
      friendOf: (viewer, friendId) => users.friendOf(viewer, friendId),
      liveViewersOf: (userId) => users.liveViewersOf(userId),
      joinAudiences: (userId) => users.joinAudiences(userId),
      markAudienceChanged: (userId, tx) => users.markAudienceChanged(userId, tx),
      refreshAudience: (userId) => users.refreshAudience(userId),
    },
    stats: { current: (userId) => analytics.current(userId) },
    puffs: { findLive: (userId, puffId) => puffs.findLive(userId, puffId) },
    sessions: { endedSessions: (sessionIds) => auth.endedSessions(sessionIds) },
  });

  const users: Users = createUsers({
    connection,
    clock,
    log,
    publicUrl: deps.auth.publicUrl,
    masterKey: deps.auth.masterKey,
    isKnownZone,
    accountClosing: {
      redeemCode: (...code) => auth.closing.redeemCode(...code),
      close: (...account) => auth.closing.close(...account),
      announce: (closed) => {
        auth.closing.announce(closed);
      },
    },
    personalDataOwners: {
      list: () => [puffs, analytics, coaching, notifications, auth.closing, deps.sharedData],
    },
    live: notifications,
    rooms: notifications,
    muteSettings: notifications,
    inbox: notifications,
    cheers: { endCheers: (...between) => coaching.endCheers(...between) },
    stats: {
      summaries: (people) => analytics.summaries(people),
      profileChanged: (person, fields) => analytics.profileChanged(person, fields),
    },
    pendingWrites: {
      async drainUser(userId) {
        await puffs.drainUser(userId);
        await coaching.drainUser(userId);
      },
    },
    announcements: {
      settingsChanged(change) {
        bus.publish('settings.changed', change);
      },
      audienceChanged(userIds) {
        bus.publish('audience.changed', { userIds });
      },
    },
  });

  const puffs: Puffs = createPuffs<UserSettings>({
    connection,
    clock,
    log,
    metrics,
    users,
    consents: users,
    stats: { statsOf: (person, history) => analytics.statsOf(person, history) },
    liveEvents: {
      puffsRecorded(recorded) {
        notifications.puffsRecorded(recorded);
        coaching.puffsRecorded(recorded);
      },
      puffsChanged(changed) {
        coaching.puffsChanged(changed);
        return notifications.puffsChanged(changed);
      },
    },
  });

  const analytics: Analytics = createAnalytics({
    connection,
    clock,
    users,
    sharing: users,
    puffs,
    live: notifications,
  });

  const auth: Auth = createAuth({
    connection,
    clock,
    log,
    metrics,
    config: deps.auth,
    accounts: users.accounts,
    inbox: notifications,
    devices: notifications,
    sockets: {
      openSessions: () => deps.realtime().openSessions(),
      sessionEnded(ended) {
        notifications.sessionEnded(ended);
        bus.publish('session.ended', ended);
      },
    },
  });

  const coaching: Coaching = createCoaching({
    connection,
    clock,
    log,
    users,
    sharing: users,
    puffs,
    streaks: analytics.streaks,
    inbox: notifications,
  });

  // A lost message is repaired within seconds by polls and short cache lifetimes. The same holds during a rolling
  // deployment between releases that name a channel differently: neither receives the messages of the other.
  bus.on('settings.changed', users.onRemoteSettingsChange);
  bus.on('session.ended', auth.onRemoteSessionEnded);
  bus.on('audience.changed', users.onRemoteAudienceChange);
  bus.on('inbox.appended', notifications.onRemoteAppend);
  bus.onGap(users.audiencePoller.pollNow);

  return { auth, users, puffs, analytics, notifications, coaching };
};
