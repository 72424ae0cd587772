import { z } from 'zod';
import { minuteMs } from '../../domain/durations.ts';
import type { Clock } from '../../platform/clock.ts';
import { defineJob, type Job } from '../../platform/scheduler/job.ts';

/**
 * Removes expired nonces, sessions that ended or expired 30 days ago, signing keys whose tokens have expired, and
 * outbox rows that were done 7 days ago. It does what a TTL index would do, on the injected clock (docs/adr/0004); no
 * read relies on it.
 */
export const authCleanupJob = (deps: {
  nonces: { removeExpired(now: number): Promise<void> };
  sessions: { removeLongEnded(now: number): Promise<void> };
  signingKeys: { removeRetired(now: number): Promise<void> };
  outboxes: readonly { removeLongDone(now: number): Promise<void> }[];
  clock: Clock;
}): Job =>
  defineJob({
    name: 'auth-cleanup',
    summary: 'removes expired nonces, sessions, signing keys and finished outbox rows of auth',
    everyMs: 10 * minuteMs,
    offsetMs: 0,
    progress: z.null(),
    async run({ save }) {
      const now = deps.clock.now();
      await deps.nonces.removeExpired(now);
      await deps.sessions.removeLongEnded(now);
      await deps.signingKeys.removeRetired(now);
      await save(null);
      for (const outbox of deps.outboxes) await outbox.removeLongDone(now);
      return {};
    },
  });
