import type { Clock } from '../clock.ts';
import { randomFraction } from '../ids.ts';
import type { Logger } from '../telemetry/logger.ts';
import { RetryAtError, retryDelayMs, type OutboxJob, type OutboxStore } from './outbox.ts';

const everyMs = 2_000;
/** Longer than any attempt may take: a process that was killed in the middle delays its job by this. */
const leaseMs = 60_000;

/** For a job that takes several rounds: it is not done yet, and is handled again at `dueAt` (ms). */
export type Reschedule = (dueAt: number) => void;

export interface OutboxWorker {
  /** Does everything that is due now; also what was promised a moment ago. */
  run(): Promise<void>;
  /** The same soon, without waiting for it. */
  kick(): void;
  start(): void;
  stop(): Promise<void>;
}

/**
 * Works an outbox off, in as many processes as there are: a lease keeps two from doing one job at once. `handle` may be
 * called twice for one job (a kill after the effect, before it was marked), so it must bear that. What it throws is
 * tried again with growing pauses, until `giveUpAfterMs` after the promise; a RetryAtError says by itself when. Up to
 * `atOnce` jobs are worked at one time, one unless told.
 */
export const createOutboxWorker = <Payload>(deps: {
  name: string;
  store: OutboxStore<Payload>;
  handle: (job: OutboxJob<Payload>, reschedule: Reschedule) => Promise<void>;
  giveUpAfterMs: number;
  atOnce?: number;
  clock: Clock;
  log: Logger;
}): OutboxWorker => {
  const { name, store, clock, log } = deps;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;

  const attempt = async (job: OutboxJob<Payload>) => {
    try {
      let dueAt: number | undefined;
      await deps.handle(job, (at) => (dueAt = at));
      if (dueAt === undefined) await store.finish(job, clock.now());
      else await store.retryAt(job, dueAt);
    } catch (error) {
      const now = clock.now();
      if (error instanceof RetryAtError) {
        await store.retryAt(job, error.at);
        return;
      }
      if (now - job.createdAt >= deps.giveUpAfterMs) {
        log.error(
          { event: 'outbox.given_up', outbox: name, jobId: job.id, err: error },
          'outbox job abandoned',
        );
        await store.finish(job, now);
        return;
      }
      log.warn(
        { event: 'outbox.retry', outbox: name, jobId: job.id, attempt: job.attempt, err: error },
        'outbox job failed; will retry',
      );
      await store.retryAt(job, now + retryDelayMs(job.attempt, randomFraction()));
    }
  };

  const drainOne = async () => {
    for (;;) {
      const job = stopped ? undefined : await store.claim(clock.now(), leaseMs);
      if (!job) return;
      await attempt(job);
    }
  };
  const drain = async () => {
    const lines = await Promise.allSettled(Array.from({ length: deps.atOnce ?? 1 }, drainOne));
    const failed = lines.find((line) => line.status === 'rejected');
    if (failed) throw failed.reason;
  };
  const run = () => {
    const mine = running.then(drain);
    running = mine.catch(() => undefined);
    return mine;
  };
  const kick = () => {
    run().catch((error: unknown) => {
      log.warn({ event: 'outbox.unread', outbox: name, err: error }, 'outbox poll failed');
    });
  };

  return {
    run,
    kick,
    start() {
      timer = setInterval(kick, everyMs).unref();
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      await running;
    },
  };
};
