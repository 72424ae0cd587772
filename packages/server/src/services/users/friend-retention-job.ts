import { z } from 'zod';
import { defineJob, type Job } from '../../platform/scheduler/job.ts';
import { dayMs, hourMs } from '../../domain/durations.ts';
import type { FriendRequestStore } from './friends/friend-request-store.ts';
import type { InviteStore } from './friends/invite-store.ts';
import type { ReportStore } from './safety/report-store.ts';

/**
 * From the creation of a friend request, in any state (PRIV-10): it is open for 30 days, and a decline holds for 30 days
 * after that, so no rule reads it any more.
 */
const requestsKeptMs = 90 * dayMs;
/** From the creation of a report that was reviewed; open reports are kept. As long as the security log. */
const reviewedReportsKeptMs = 180 * dayMs;

export const friendRetentionJob = (deps: {
  requests: Pick<FriendRequestStore, 'removeCreatedBefore'>;
  invites: Pick<InviteStore, 'removeExpired'>;
  reports: Pick<ReportStore, 'removeReviewed'>;
}): Job =>
  defineJob({
    name: 'friend-retention',
    summary:
      'removes friend requests after 90 days, invites when they expire, and reviewed reports after 180 days',
    everyMs: dayMs,
    offsetMs: 4.5 * hourMs,
    progress: z.undefined(),
    async run({ to }) {
      return {
        requests: await deps.requests.removeCreatedBefore(to - requestsKeptMs),
        invites: await deps.invites.removeExpired(to),
        reports: await deps.reports.removeReviewed(to - reviewedReportsKeptMs),
      };
    },
  });
