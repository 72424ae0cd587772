import { z } from 'zod';
import { dayMs, hourMs } from '../../domain/durations.ts';
import { defineJob, type Job } from '../../platform/scheduler/job.ts';
import type { InboxStore } from './inbox/inbox-store.ts';
import type { DeviceStore } from './push/device-store.ts';
import type { Push } from './push/push.ts';

/** How long the inbox keeps a notification; sockets replay 7 days of it (inbox-replay.ts). */
const keptMs = 90 * dayMs;

export const notificationJobs = (deps: {
  inbox: Pick<InboxStore, 'removeBefore' | 'removeDecoys'>;
  devices: Pick<DeviceStore, 'removeUnseenSince'>;
  push: Pick<Push, 'removeOld'>;
}): Job[] => [
  defineJob({
    name: 'inbox-retention',
    summary: 'removes notifications after 90 days, and devices that have not registered for 90 days',
    everyMs: dayMs,
    offsetMs: 3.5 * hourMs,
    progress: z.object({}),
    async run({ to }) {
      await deps.push.removeOld(to);
      return {
        notifications: await deps.inbox.removeBefore(to - keptMs),
        decoys: await deps.inbox.removeDecoys(),
        devices: await deps.devices.removeUnseenSince(to - keptMs),
      };
    },
  }),
];
