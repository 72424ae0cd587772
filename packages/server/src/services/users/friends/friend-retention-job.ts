import { z } from 'zod';
import { defineJob, type Job } from '../../../platform/scheduler/job.ts';
import { dayMs, hourMs } from '../../../domain/durations.ts';
import type { FriendRequestStore } from './friend-request-store.ts';
import type { InviteStore } from './invite-store.ts';
import type { ReportStore } from '../safety/report-store.ts';

/**
 * From when an ask was made, whatever became of it (PRIV-10). It waits for 30 days, and a decline holds for as
 * many after that, so nothing asks for it any more.
 */
const requestsKeptMs = 90 * dayMs;
/** From when a report was made, once it has been reviewed; what waits for the operator is kept. As the log of security. */
const reviewedReportsKeptMs = 180 * dayMs;

export const friendRetentionJob = (deps: {
  requests: Pick<FriendRequestStore, 'removeMadeBefore'>;
  invites: Pick<InviteStore, 'removeExpired'>;
  reports: Pick<ReportStore, 'removeReviewed'>;
}): Job =>
  defineJob({
    name: 'friend-retention',
    summary:
      'removes asks for a friendship after 90 days, invites when they run out, and reviewed reports after 180 days',
    everyMs: dayMs,
    offsetMs: 4.5 * hourMs,
    progress: z.undefined(),
    async run({ to }) {
      return {
        requests: await deps.requests.removeMadeBefore(to - requestsKeptMs),
        invites: await deps.invites.removeExpired(to),
        reports: await deps.reports.removeReviewed(to - reviewedReportsKeptMs),
      };
    },
  });
