/**
 * notifications: owns the inbox, its preferences, devices, pushes and the live events of sockets. It decides what is sent
 * to whom and how, never what is true. Imports between its rooms point one way: preferences <- inbox <- push, live.
 */
import type { ClientSession, Connection } from 'mongoose';
import type { Clock } from '../../platform/clock.ts';
import type { Route } from '../../platform/http/route.ts';
import { inTransaction } from '../../platform/mongo/transaction.ts';
import type { Realtime } from '../../platform/realtime/socket-server.ts';
import type { Job } from '../../platform/scheduler/job.ts';
import type { Logger } from '../../platform/telemetry/logger.ts';
import { notificationRoutes } from './inbox/notification-routes.ts';
import type { Notify } from './inbox/inbox-service.ts';
import { createInboxStore } from './inbox/inbox-store.ts';
import { createInbox, type Inbox } from './inbox/inbox.ts';
import { createConnectionHello, type NewConnection } from './live/connection-hello.ts';
import { loadEvent } from './live/event-references.ts';
import { createLiveEvents, type LiveEvents } from './live/live-events.ts';
import { notificationJobs } from './notification-jobs.ts';
import type { PuffReader, SessionDirectory, SharingPolicy, StatsReader, UserDirectory } from './ports.ts';
import { notificationPreferenceRoutes } from './preferences/notification-preference-routes.ts';
import { createPreferencesService } from './preferences/preferences-service.ts';
import { createPreferencesStore, type PreferencesStore } from './preferences/preferences-store.ts';
import type { ApnsConfig } from './push/apns/apns-client.ts';
import { deviceRoutes } from './push/device-routes.ts';
import { createDeviceService } from './push/device-service.ts';
import { createDeviceStore, type DeviceStore } from './push/device-store.ts';
import { createPush } from './push/push.ts';

export type { ApnsConfig } from './push/apns/apns-client.ts';
export type { Notify } from './inbox/inbox-service.ts';
export type { NamedUser, NotificationEvent } from './inbox/notification-event.ts';

export interface Notifications
  extends LiveEvents, Pick<Inbox, 'hideName' | 'markMilestonesRead' | 'onRemoteAppend'> {
  routes: Route[];
  jobs: Job[];
  notify: Notify;
  findMuteAll: PreferencesStore['findMuteAll'];
  /** Push registrations of replaced sessions move to the new session of the same device. */
  moveDevices: DeviceStore['moveSessions'];
  onConnect(connection: NewConnection): Promise<void>;
  /** The payload of an event that another process refers to; undefined if it is not to be sent any more. */
  loadEvent(event: string, reference: unknown): Promise<object | undefined>;
  ensureIndexes(): Promise<void>;
  /** Deletes everything of a user; answers the number of rows. */
  eraseUser(userId: string): Promise<number>;
  /** In a process that holds sockets and sends pushes. */
  start(): void;
  /** Resolves when everything committed by now is delivered to the sockets here, and due pushes are sent. */
  drain(): Promise<void>;
  stop(): Promise<void>;
}

export const createNotifications = (deps: {
  connection: Connection;
  clock: Clock;
  log: Logger;
  /** Undefined: nothing is pushed. */
  apns: ApnsConfig | undefined;
  /** The socket server, which is created after this service. */
  realtime: () => Realtime;
  /** An inbox may have a new row: publishes it to the other processes, which otherwise find it within a second. */
  onAppended: (appended: { userId: string }) => void;
  users: UserDirectory;
  sharing: SharingPolicy;
  stats: StatsReader;
  puffs: PuffReader;
  sessions: SessionDirectory;
}): Notifications => {
  const { connection, clock } = deps;
  const transact = <T>(work: (tx: ClientSession) => Promise<T>) => inTransaction(connection, work);
  const preferences = createPreferencesStore(connection);
  const devices = createDeviceStore(connection);
  const inboxStore = createInboxStore(connection);
  const push = createPush({ ...deps, inbox: inboxStore, preferences, devices });
  const inbox = createInbox({ ...deps, store: inboxStore, preferences, push });
  const live = createLiveEvents(deps);
  const preferencesService = createPreferencesService({
    ...deps,
    store: preferences,
    inTransaction: transact,
  });
  const deviceService = createDeviceService({ ...deps, store: devices, inTransaction: transact });
  return {
    ...inbox,
    ...live,
    routes: [
      ...notificationRoutes(inbox),
      ...notificationPreferenceRoutes(preferencesService),
      ...deviceRoutes(deviceService),
    ],
    jobs: notificationJobs({ inbox: inboxStore, devices, push }),
    findMuteAll: preferences.findMuteAll,
    moveDevices: devices.moveSessions,
    onConnect: createConnectionHello({ ...deps, inbox }),
    loadEvent: (event, reference) => loadEvent(deps, event, reference),
    sessionEnded(ended) {
      deviceService.removeSession(ended.sessionId);
      live.sessionEnded(ended);
    },
    async ensureIndexes() {
      for (const owned of [inboxStore, preferences, devices, push]) await owned.ensureIndexes();
    },
    async eraseUser(userId) {
      let removed = 0;
      for (const owned of [preferences, devices, push]) removed += await owned.removeAll(userId);
      return removed + (await inboxStore.removeAll(userId, clock.now()));
    },
    start() {
      for (const worker of [inbox, push]) worker.start();
    },
    async drain() {
      for (const worker of [inbox, push]) await worker.drain();
    },
    async stop() {
      for (const worker of [inbox, push]) await worker.stop();
    },
  };
};
