import { z } from 'zod';
import { defineJob, type Job } from '../../../platform/scheduler/job.ts';
import { dayMs, hourMs } from '../../../domain/durations.ts';
import type { DeviceStore } from '../push/device-store.ts';
import type { InboxStore } from './inbox-store.ts';

/** How long the inbox keeps a notification; sockets replay 7 days of it (replay.ts). */
const keptMs = 90 * dayMs;

export const inboxJobs = (deps: {
  inbox: Pick<InboxStore, 'removeBefore' | 'removeDecoys'>;
  devices: Pick<DeviceStore, 'removeUnseenSince'>;
  push: { removeOld(now: number): Promise<void> };
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
