import type { Connection } from 'mongoose';
import type { Clock } from '../../../platform/clock.ts';
import { newUuid } from '../../../platform/ids.ts';
import { createOutboxStore } from '../../../platform/outbox/outbox-store.ts';
import { createOutboxWorker } from '../../../platform/outbox/outbox-worker.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import { createApnsClient, type ApnsConfig } from './apns/apns-client.ts';
import { secondMs } from '../../../domain/durations.ts';
import type { PushQueue } from '../inbox/inbox-service.ts';
import { createPushDayStore } from './push-day-store.ts';
import { createPushHandler, pushLivesMs, type PushJob, type PushServiceDeps } from './push-service.ts';

/** Jobs run concurrently, because each mostly waits for APNs. */
const maxConcurrentJobs = 16;

/** Pushes to devices. Without an APNs key nothing is queued or sent. */
export interface Push extends PushQueue {
  /** A job may be due: polls the queue at once if this process sends pushes. */
  kick(): void;
  ensureIndexes(): Promise<void>;
  removeOld(now: number): Promise<void>;
  /** Removes everything of this user; answers the number of rows. */
  removeAll(userId: string): Promise<number>;
  start(): void;
  /** Resolves when all due jobs of this process are done. */
  drain(): Promise<void>;
  stop(): Promise<void>;
}

/** How long a stop waits for answers of APNs. */
const stopWithinMs = 3 * secondMs;

export const createPush = (
  deps: {
    connection: Connection;
    apns: ApnsConfig | undefined;
    log: Logger;
    clock: Clock;
  } & Pick<PushServiceDeps, 'inbox' | 'preferences' | 'devices' | 'users' | 'sessions'>,
): Push => {
  const { connection, apns: config, clock, log } = deps;
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
      atOnce: maxConcurrentJobs,
      clock,
      log,
    });
  let isSender = false;

  return {
    async enqueue(tx, { id, userId }) {
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
      // No process sends pushes any more.
      await outbox.removeDueBefore(now - pushLivesMs);
    },
    // Queued jobs contain only ids and end without effect once the user is gone.
    removeAll: days.removeAll,
    start() {
      isSender = true;
      worker?.start();
    },
    async drain() {
      // The job of a notification adds one for each device, due at once; the worker runs those too.
      if (isSender) await worker?.run();
    },
    async stop() {
      const stopped = worker?.stop();
      // A push without an answer is sent again by the next worker with the same id, so the device shows it once.
      const forceCloseTimer = setTimeout(() => apns?.close(), stopWithinMs);
      await stopped;
      clearTimeout(forceCloseTimer);
      apns?.close();
    },
  };
};
