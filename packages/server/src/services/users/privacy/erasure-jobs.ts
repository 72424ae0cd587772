import { z } from 'zod';
import type { Clock } from '../../../platform/clock.ts';
import { defineJob, type Job } from '../../../platform/scheduler/job.ts';
import { dayMs, hourMs } from '../../../domain/durations.ts';
import { ledgerCutoff } from './erasure-rules.ts';
import type { ErasureLedgerStore } from './erasure-ledger-store.ts';

export const erasureJobs = (deps: {
  ledger: Pick<ErasureLedgerStore, 'removeBefore'>;
  outbox: { removeLongDone(now: number): Promise<void> };
  clock: Clock;
}): Job[] => [
  defineJob({
    name: 'erasure-ledger',
    summary: 'removes entries of the erasure ledger after 24 months',
    everyMs: dayMs,
    offsetMs: 4 * hourMs,
    progress: z.undefined(),
    async run() {
      const now = deps.clock.now();
      await deps.outbox.removeLongDone(now);
      return { removed: await deps.ledger.removeBefore(ledgerCutoff(now)) };
    },
  }),
];
