import { minuteMs } from '../../../domain/durations.ts';
import { dayOf } from '../../../domain/local-day.ts';
import type { Clock } from '../../../platform/clock.ts';
import { uuidOf } from '../../../platform/ids.ts';
import { RetryAtError, type OutboxJob, type OutboxStore } from '../../../platform/outbox/outbox.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import { wallClockAt } from '../../../domain/time-zones.ts';
import { isProcessed } from '../../../domain/consents.ts';
import type { ApnsClient } from './apns/apns-client.ts';
import type { ApnsOutcome } from './apns/apns-outcome.ts';
import type { Device, DeviceStore } from './device-store.ts';
import type { InboxRow, InboxStore } from '../inbox/inbox-store.ts';
import { isAboutPuffs, isAboutHiddenUser } from '../inbox/notification-event.ts';
import type { SessionDirectory, UserDirectory } from '../ports.ts';
import { deliveryOf } from '../preferences/preferences.ts';
import type { PreferencesStore } from '../preferences/preferences-store.ts';
import type { PushDayStore } from './push-day-store.ts';
import { pushPayload } from './push-payload.ts';
import { quietUntil } from '../preferences/quiet-hours.ts';

/** After a day a notification is only in the inbox. */
export const pushLivesMs = 24 * 60 * minuteMs;
/** Per local day, security notifications apart; further notifications are only in the inbox. */
export const maxPushesPerDay = 10;
/** Pause after APNs has rejected the key. */
const haltMs = 10 * minuteMs;
/** Pause after APNs has seen too many provider tokens. */
const noNewTokensMs = 20 * minuteMs;

/** Without a device: adds a job for each device of the user. With one: sends the push to it. */
export interface PushJob {
  readonly userId: string;
  readonly notificationId: string;
  readonly deviceId?: string;
}

export interface PushServiceDeps {
  outbox: Pick<OutboxStore<PushJob>, 'add'>;
  inbox: Pick<InboxStore, 'find'>;
  preferences: Pick<PreferencesStore, 'find'>;
  devices: Pick<DeviceStore, 'list' | 'find' | 'removeSession' | 'removeUnlessSince'>;
  days: Pick<PushDayStore, 'take'>;
  users: Pick<UserDirectory, 'settingsOfMany'>;
  sessions: SessionDirectory;
  apns: Pick<ApnsClient, 'send'>;
  topic: string;
  clock: Clock;
  log: Logger;
}

/**
 * Handles the jobs of inbox rows. Every condition is checked again at the moment of sending, because a night of quiet hours
 * may lie in between: consents, preferences, whether the row is read, the device and its session, and the user whom the
 * row names.
 * A job that runs twice sends the same `apns-id` and `apns-collapse-id` twice, and the device shows it once (PUSH-8).
 */
export const createPushHandler = (deps: PushServiceDeps): ((job: OutboxJob<PushJob>) => Promise<void>) => {
  const { outbox, devices, clock, log } = deps;
  let haltedUntil = -Infinity;

  /** Undefined if no push is to be sent (any more). Throws RetryAtError in quiet hours. */
  const findSendable = async ({ userId, notificationId }: PushJob) => {
    const now = clock.now();
    const row = await deps.inbox.find(notificationId);
    if (!row || row.readAt !== null || now >= row.createdAt + pushLivesMs) return undefined;
    if (isAboutHiddenUser(row)) return undefined;
    const user = (await deps.users.settingsOfMany([userId])).get(userId);
    if (!user?.consents.has('push')) return undefined;
    if (isAboutPuffs(row) && !isProcessed(user)) return undefined;
    const preferences = await deps.preferences.find(userId);
    if (deliveryOf(preferences, row.category) !== 'push') return undefined;
    const isUrgent = row.category === 'security';
    const at = isUrgent ? now : quietUntil(preferences.quietHours, user.timeZone, now);
    if (at > now) throw new RetryAtError(at);
    return { row, isUrgent, discreet: preferences.discreet, timeZone: user.timeZone };
  };

  const addDeviceJobs = async (job: OutboxJob<PushJob>): Promise<void> => {
    const { userId, notificationId } = job.payload;
    const now = clock.now();
    const push = await findSendable(job.payload);
    const targets = push
      ? (await devices.list(userId)).filter(({ bundleId }) => bundleId === deps.topic)
      : [];
    if (!push || targets.length === 0) return;
    const day = dayOf(wallClockAt(push.timeZone, now).dayNumber);
    if (!push.isUrgent && !(await deps.days.take(userId, day, notificationId, maxPushesPerDay))) return;
    for (const { id: deviceId } of targets)
      await outbox.add({ id: uuidOf(`${job.id} ${deviceId}`), payload: { ...job.payload, deviceId }, now });
  };

  const findTarget = async (userId: string, deviceId: string): Promise<Device | undefined> => {
    const device = await devices.find(deviceId);
    if (device?.userId !== userId) return undefined;
    if ((await deps.sessions.endedSessions([device.sessionId])).length === 0) return device;
    // By session, because a new sign-in on the device may have replaced the registration meanwhile.
    await devices.removeSession(device.sessionId);
    return undefined;
  };

  const halt = (ms: number): RetryAtError => {
    haltedUntil = clock.now() + ms;
    return new RetryAtError(haltedUntil);
  };

  const handleOutcome = async (outcome: ApnsOutcome, device: Device): Promise<void> => {
    switch (outcome.kind) {
      case 'sent':
        return;
      case 'bad-device':
        return devices.removeUnlessSince(device.id, device.registeredAt);
      case 'gone':
        return devices.removeUnlessSince(device.id, outcome.since ?? device.registeredAt);
      case 'too-many-tokens':
        log.error(
          { event: 'push.too_many_tokens' },
          'APNs rejects new provider tokens; pushes are paused for 20 minutes',
        );
        throw halt(noNewTokensMs);
      case 'token-expired':
      case 'halt':
        log.error(
          { event: 'push.halted', outcome },
          'APNs rejects the provider key; pushes are paused for 10 minutes',
        );
        throw halt(haltMs);
      case 'refused':
        log.error({ event: 'push.refused', outcome }, 'APNs rejected a push');
        return;
      case 'retry':
        if (outcome.afterMs !== undefined) throw new RetryAtError(clock.now() + outcome.afterMs);
        throw new Error(`APNs: ${outcome.reason}`);
    }
  };

  const send = async (id: string, job: PushJob, deviceId: string): Promise<void> => {
    if (clock.now() < haltedUntil) throw new RetryAtError(haltedUntil);
    const push = await findSendable(job);
    const device = push && (await findTarget(job.userId, deviceId));
    if (!push || !device) return;
    const outcome = await deps.apns.send({
      id,
      deviceToken: device.token,
      environment: device.environment,
      payload: pushPayload(push.row, push.discreet),
      collapseId: collapseIdOf(push.row),
      expiresAt: push.row.createdAt + pushLivesMs,
    });
    await handleOutcome(outcome, device);
  };

  return (job) => {
    const { deviceId } = job.payload;
    return deviceId === undefined ? addDeviceJobs(job) : send(job.id, job.payload, deviceId);
  };
};

/** At most 64 bytes; ids have 26. The device shows one push for all cheers of a milestone. */
const collapseIdOf = ({ id, category, data }: InboxRow): string =>
  (category === 'cheer' ? data['milestoneId'] : undefined) ?? id;
