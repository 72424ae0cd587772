import type { ClientSession } from 'mongodb';
import type { Connection } from 'mongoose';
import type { Clock } from '../../../platform/clock.ts';
import { newUuid } from '../../../platform/ids.ts';
import { createOutboxStore } from '../../../platform/outbox/outbox-store.ts';
import { createOutboxWorker } from '../../../platform/outbox/outbox-worker.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import { createApnsClient, type ApnsConfig } from './apns/apns-client.ts';
import type { DeviceStore } from './device-store.ts';
import type { InboxStore } from '../inbox/inbox-store.ts';
import type { PreferencesStore } from '../preferences/preferences-store.ts';
import { createPushDayStore } from './push-day-store.ts';
import { createPushHandler, pushLivesMs, type PushJob, type PushServiceDeps } from './push-service.ts';

/** Waits for Apple most of the time; each has a look at the database before and after. */
const atOnce = 16;

/** Pushes to phones, where an APNs key is given; without one nothing is promised and nothing sent. */
export interface Push {
  promise(tx: ClientSession, row: { id: string; userId: string }): Promise<void>;
  /** Something may have been promised: looks soon, where this process is one that sends. */
  kick(): void;
  ensureIndexes(): Promise<void>;
  removeOld(now: number): Promise<void>;
  /** What is kept of a person's pushes; answers how many rows there were. */
  removeAll(userId: string): Promise<number>;
  start(): void;
  settle(): Promise<void>;
  stop(): Promise<void>;
}

const answersMayTakeMs = 3_000;

export const createPush = (
  deps: {
    connection: Connection;
    config: ApnsConfig | undefined;
    inbox: InboxStore;
    preferences: PreferencesStore;
    devices: DeviceStore;
    clock: Clock;
    log: Logger;
  } & Pick<PushServiceDeps, 'people' | 'endedSessions'>,
): Push => {
  const { connection, config, clock, log } = deps;
  const outbox = createOutboxStore<PushJob>(connection, 'pushes');
  const days = createPushDayStore(connection);
  const apns = config && createApnsClient(config, clock);
  const worker =
    apns &&
    createOutboxWorker<PushJob>({
      name: 'pushes',
      store: outbox,
      handle: createPushHandler({ ...deps, outbox, days, apns, topic: config.topic }),
      giveUpAfterMs: pushLivesMs,
      atOnce,
      clock,
      log,
    });
  let isSender = false;

  return {
    async promise(tx, { id, userId }) {
      if (worker)
        await outbox.add({ id: newUuid(), payload: { userId, notificationId: id }, now: clock.now() }, tx);
    },
    kick() {
      if (isSender) worker?.kick();
    },
    async ensureIndexes() {
      for (const owned of [outbox, days]) await owned.ensureIndexes();
    },
    async removeOld(now) {
      await outbox.removeLongDone(now);
      // Nobody has sent it: this deployment pushes no more.
      await outbox.removeDueBefore(now - pushLivesMs);
    },
    // What waits to be sent holds ids alone, and goes with its next look for the person.
    removeAll: days.removeAll,
    start() {
      isSender = true;
      worker?.start();
    },
    async settle() {
      // Sharing one out adds others, and those are due at once.
      if (isSender) await worker?.run();
    },
    async stop() {
      const stopped = worker?.stop();
      // What is not answered by then is sent again by whoever takes its job: with the same id, so it shows once.
      const impatience = setTimeout(() => apns?.close(), answersMayTakeMs);
      await stopped;
      clearTimeout(impatience);
      apns?.close();
    },
  };
};
