import type { PersistentEventName, ServerEvent } from '@pufftrack/contract';
import type { ClientSession } from 'mongodb';
import type { Connection } from 'mongoose';
import { z } from 'zod';
import type { Clock } from '../../../platform/clock.ts';
import type { Job } from '../../../platform/scheduler/job.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import type { ApnsConfig } from '../push/apns/apns-client.ts';
import { createDeviceService, type DeviceService } from '../push/device-service.ts';
import { createDeviceStore, type DeviceStore } from '../push/device-store.ts';
import { createInboxDelivery } from './inbox-delivery.ts';
import { inboxJobs } from './inbox-jobs.ts';
import { createInboxService, type InboxService } from './inbox-service.ts';
import { createInboxStore, type HiddenWhere } from './inbox-store.ts';
import { createPreferencesService, type PreferencesService } from '../preferences/preferences-service.ts';
import { createPreferencesStore, type PreferencesStore } from '../preferences/preferences-store.ts';
import { createPush } from '../push/push.ts';
import type { PushServiceDeps } from '../push/push-service.ts';
import { replayStart } from './replay.ts';

/** Where a new socket stands: the person's last number, after which one its events begin, and whether that is a break. */
export interface InboxPlace {
  readonly head: number;
  readonly after: number;
  readonly resync: boolean;
}

/** The inbox with everything that belongs to it. */
export interface Inbox {
  readonly service: InboxService;
  readonly preferences: PreferencesService;
  readonly findMuteAll: PreferencesStore['findMuteAll'];
  readonly devices: DeviceService;
  readonly jobs: Job[];
  placeOf(userId: string, lastSeq: unknown): Promise<InboxPlace>;
  /** From now on the socket gets every event after `after`, in order. Answers how to stop. */
  open(
    userId: string,
    after: number,
    emit: (event: PersistentEventName, payload: ServerEvent<PersistentEventName>) => void,
  ): () => void;
  /** A session has ended: the phone that registered with it gets no more pushes. */
  forgetDevicesOf(sessionId: string): Promise<void>;
  /** A new session of the same device has replaced others: its push registrations belong to the new one. */
  moveDevices: DeviceStore['moveSessions'];
  ensureIndexes(): Promise<void>;
  /** Takes a person's name out of what was told of them: everywhere, to one person, or of one friend request. */
  hideName(named: string, where?: HiddenWhere, tx?: ClientSession): Promise<void>;
  /** Marks a user's notifications about these milestones as read. */
  markMilestonesRead(userId: string, milestoneIds: readonly string[], tx: ClientSession): Promise<void>;
  /** Deletes everything that is kept of a person here; answers how many rows there were. */
  eraseUser(userId: string): Promise<number>;
  /** Another process has told somebody something: their sockets here get it at once, and pushes are looked for. */
  appendedElsewhere(message: unknown): void;
  /** In a process that holds sockets or sends pushes. */
  start(): void;
  settle(): Promise<void>;
  stop(): Promise<void>;
}

export interface InboxDeps extends Pick<PushServiceDeps, 'endedSessions' | 'people'> {
  readonly connection: Connection;
  /** Somebody was told something: says so to the other processes, which would find it within a second. */
  readonly onAppended: (told: { userId: string }) => void;
  /** Of users: `muteAll` decides whose puffs this person's sockets get. */
  readonly moveAudience: (userId: string, tx: ClientSession) => Promise<void>;
  readonly audienceMoved: (userId: string) => Promise<unknown>;
  /** Undefined: nothing is pushed. */
  readonly apns: ApnsConfig | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

const InboxAppendedMessage = z.object({ userId: z.string() });

export const createInbox = (deps: InboxDeps): Inbox => {
  const { connection, clock, log } = deps;
  const store = createInboxStore(connection);
  const preferences = createPreferencesStore(connection);
  const devices = createDeviceStore(connection);
  const delivery = createInboxDelivery({ store, log });
  const push = createPush({ ...deps, config: deps.apns, inbox: store, preferences, devices });
  const lookFor = (userId: string) => {
    delivery.moved(userId);
    push.kick();
  };
  const service = createInboxService({
    store,
    preferences,
    promisePush: push.promise,
    onAppended(userId) {
      lookFor(userId);
      deps.onAppended({ userId });
    },
    clock,
  });
  const transact = <T>(work: (tx: ClientSession) => Promise<T>) => inTransaction(connection, work);
  const preferencesService = createPreferencesService({
    ...deps,
    store: preferences,
    inTransaction: transact,
  });
  const deviceService = createDeviceService({ store: devices, inTransaction: transact, clock });

  return {
    service,
    preferences: preferencesService,
    findMuteAll: preferences.findMuteAll,
    devices: deviceService,
    jobs: inboxJobs({ inbox: store, devices, push }),
    forgetDevicesOf: devices.removeSession,
    moveDevices: devices.moveSessions,
    async placeOf(userId, lastSeq) {
      const head = await store.head(userId);
      const missed = typeof lastSeq === 'number' ? await store.listAfter(userId, lastSeq, 1) : [];
      const now = clock.now();
      return { head, ...replayStart(lastSeq, { head, ...(missed[0] && { firstMissed: missed[0] }), now }) };
    },
    open: delivery.open,
    async ensureIndexes() {
      for (const owned of [store, preferences, devices, push]) await owned.ensureIndexes();
    },
    hideName: (named, where, tx) => store.hideName(named, clock.now(), where, tx),
    markMilestonesRead: (userId, milestoneIds, tx) =>
      store.markMilestonesRead(userId, milestoneIds, clock.now(), tx),
    async eraseUser(userId) {
      let removed = 0;
      for (const owned of [preferences, devices, push]) removed += await owned.removeAll(userId);
      removed += await store.removeAll(userId, clock.now());
      return removed;
    },
    appendedElsewhere(message) {
      const parsed = InboxAppendedMessage.safeParse(message);
      if (parsed.success) lookFor(parsed.data.userId);
    },
    start() {
      delivery.start();
      push.start();
    },
    async settle() {
      await delivery.settle();
      await push.settle();
    },
    async stop() {
      await delivery.stop();
      await push.stop();
    },
  };
};
