import type { Purpose } from '@pufftrack/contract';
import type { Clock } from '../../../platform/clock.ts';
import { uuidOf } from '../../../platform/ids.ts';
import { LaterError, type OutboxJob, type OutboxStore } from '../../../platform/outbox/outbox.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import { wallClockAt } from '../../../domain/time-zones.ts';
import { dayOf } from '../../puffs/index.ts';
import { isProcessed } from '../../users/index.ts';
import type { ApnsClient } from './apns/apns-client.ts';
import type { ApnsOutcome } from './apns/apns-outcome.ts';
import type { Device, DeviceStore } from './device-store.ts';
import type { InboxRow, InboxStore } from '../inbox/inbox-store.ts';
import { isAboutPuffs, isAboutHiddenUser } from '../inbox/notification-event.ts';
import { deliveryOf } from '../preferences/preferences.ts';
import type { PreferencesStore } from '../preferences/preferences-store.ts';
import type { PushDayStore } from './push-day-store.ts';
import { pushPayload } from './push-payload.ts';
import { quietUntil } from '../preferences/quiet-hours.ts';

const minuteMs = 60_000;
/** A day later nobody needs to be called to the phone for it: the inbox has it. */
export const pushLivesMs = 24 * 60 * minuteMs;
/** More in a day is noise; the rest waits in the inbox. */
export const maxPushesPerDay = 10;
const haltMs = 10 * minuteMs;
const noNewTokensMs = 20 * minuteMs;

/** Without a device: to be shared out among the devices of the person. With one: to be sent to it. */
export interface PushJob {
  readonly userId: string;
  readonly notificationId: string;
  readonly deviceId?: string;
}

/** A person as pushes need them; users gives it. */
export interface PushPerson {
  readonly timeZone: string;
  readonly consents: ReadonlySet<Purpose>;
}

export interface PushServiceDeps {
  outbox: Pick<OutboxStore<PushJob>, 'add'>;
  inbox: Pick<InboxStore, 'find'>;
  preferences: Pick<PreferencesStore, 'find'>;
  devices: Pick<DeviceStore, 'list' | 'find' | 'removeSession' | 'removeUnlessSince'>;
  days: Pick<PushDayStore, 'take'>;
  people: (userIds: readonly string[]) => Promise<ReadonlyMap<string, PushPerson>>;
  /** Those of the sessions that have ended. */
  endedSessions: (sessionIds: readonly string[]) => Promise<readonly string[]>;
  apns: Pick<ApnsClient, 'send'>;
  topic: string;
  clock: Clock;
  log: Logger;
}

/**
 * Works off what was promised with a row of the inbox. Everything is asked again at the moment of sending, because a
 * night of quiet hours may lie in between: whether the person still wants it, has read it, and has this phone, and whether
 * whoever it is about is still there for them.
 * A job that runs twice sends the same `apns-id` and `apns-collapse-id` twice, and the phone shows it once (PUSH-8).
 */
export const createPushHandler = (deps: PushServiceDeps): ((job: OutboxJob<PushJob>) => Promise<void>) => {
  const { outbox, devices, clock, log } = deps;
  let haltedUntil = -Infinity;

  /** Undefined where nobody has to be called to the phone (any more). Throws LaterError in quiet hours. */
  const wanted = async ({ userId, notificationId }: PushJob) => {
    const now = clock.now();
    const row = await deps.inbox.find(notificationId);
    if (!row || row.readAt !== null || now >= row.createdAt + pushLivesMs) return undefined;
    if (isAboutHiddenUser(row)) return undefined;
    const person = (await deps.people([userId])).get(userId);
    if (!person?.consents.has('push')) return undefined;
    if (isAboutPuffs(row) && !isProcessed(person)) return undefined;
    const preferences = await deps.preferences.find(userId);
    if (deliveryOf(preferences, row.category) !== 'push') return undefined;
    const isUrgent = row.category === 'security';
    const at = isUrgent ? now : quietUntil(preferences.quietHours, person.timeZone, now);
    if (at > now) throw new LaterError(at);
    return { row, isUrgent, discreet: preferences.discreet, timeZone: person.timeZone };
  };

  const shareOut = async (job: OutboxJob<PushJob>): Promise<void> => {
    const { userId, notificationId } = job.payload;
    const now = clock.now();
    const push = await wanted(job.payload);
    const phones = push ? (await devices.list(userId)).filter(({ bundleId }) => bundleId === deps.topic) : [];
    if (!push || phones.length === 0) return;
    const day = dayOf(wallClockAt(push.timeZone, now).dayNumber);
    if (!push.isUrgent && !(await deps.days.take(userId, day, notificationId, maxPushesPerDay))) return;
    for (const { id: deviceId } of phones)
      await outbox.add({ id: uuidOf(`${job.id} ${deviceId}`), payload: { ...job.payload, deviceId }, now });
  };

  const phoneOf = async (userId: string, deviceId: string): Promise<Device | undefined> => {
    const device = await devices.find(deviceId);
    if (device?.userId !== userId) return undefined;
    if ((await deps.endedSessions([device.sessionId])).length === 0) return device;
    // By its session: a new sign-in on the device may have taken the registration over meanwhile.
    await devices.removeSession(device.sessionId);
    return undefined;
  };

  const halt = (ms: number): LaterError => {
    haltedUntil = clock.now() + ms;
    return new LaterError(haltedUntil);
  };

  const settle = async (outcome: ApnsOutcome, device: Device): Promise<void> => {
    switch (outcome.kind) {
      case 'sent':
        return;
      case 'bad-device':
        return devices.removeUnlessSince(device.id, device.registeredAt);
      case 'gone':
        return devices.removeUnlessSince(device.id, outcome.since ?? device.registeredAt);
      case 'too-many-tokens':
        log.error({ event: 'push.too_many_tokens' }, 'APNs has seen too many provider tokens; pushes wait');
        throw halt(noNewTokensMs);
      case 'token-expired':
      case 'halt':
        log.error({ event: 'push.halted', outcome }, 'APNs does not take our key; pushes wait');
        throw halt(haltMs);
      case 'refused':
        log.error({ event: 'push.refused', outcome }, 'APNs refuses a push for good');
        return;
      case 'retry':
        if (outcome.afterMs !== undefined) throw new LaterError(clock.now() + outcome.afterMs);
        throw new Error(`APNs: ${outcome.reason}`);
    }
  };

  const send = async (id: string, job: PushJob, deviceId: string): Promise<void> => {
    if (clock.now() < haltedUntil) throw new LaterError(haltedUntil);
    const push = await wanted(job);
    const device = push && (await phoneOf(job.userId, deviceId));
    if (!push || !device) return;
    const outcome = await deps.apns.send({
      id,
      deviceToken: device.token,
      environment: device.environment,
      payload: pushPayload(push.row, push.discreet),
      collapseId: collapseIdOf(push.row),
      expiresAt: push.row.createdAt + pushLivesMs,
    });
    await settle(outcome, device);
  };

  return (job) => {
    const { deviceId } = job.payload;
    return deviceId === undefined ? shareOut(job) : send(job.id, job.payload, deviceId);
  };
};

/** At most 64 bytes: ids have 26. All cheers of a milestone are one to the phone. */
const collapseIdOf = ({ id, category, data }: InboxRow): string =>
  (category === 'cheer' ? data['milestoneId'] : undefined) ?? id;
