import { z } from 'zod';
import { defineJob, type Job } from '../../../platform/scheduler/job.ts';
import { dayMs, hourMs, minuteMs } from '../../../domain/durations.ts';
import { RolloverProgress, walkDayRollover } from '../../analytics/index.ts';
import type { UserDirectory } from '../ports.ts';
import type { MilestoneAwards } from './milestone-awards.ts';
import type { MilestoneStore } from './milestone-store.ts';

const revokedKeptMs = 90 * dayMs;

export const milestoneJobs = (deps: {
  users: UserDirectory;
  awards: Pick<MilestoneAwards, 'refresh'>;
  store: Pick<MilestoneStore, 'removeRevokedBefore'>;
}): Job[] => [
  defineJob({
    name: 'milestones',
    summary: 'an hour after a local day ends: awards the milestones that the day completed',
    everyMs: 15 * minuteMs,
    offsetMs: 10 * minuteMs,
    progress: RolloverProgress,
    run: (run) =>
      walkDayRollover(run, {
        people: deps.users,
        delayMs: hourMs,
        async work(page) {
          await deps.awards.refresh(page);
          return page.length;
        },
      }),
  }),
  defineJob({
    name: 'milestone-retention',
    summary: 'removes milestones 90 days after they were revoked',
    everyMs: dayMs,
    offsetMs: 3.5 * hourMs,
    progress: z.object({}),
    run: async ({ to }) => ({ milestones: await deps.store.removeRevokedBefore(to - revokedKeptMs) }),
  }),
];
