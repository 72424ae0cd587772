import type { Clock } from '../clock.ts';
import { newId } from '../ids.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Figures, Job } from './job.ts';
import { createJobMetrics } from './job-metrics.ts';
import type { Claim, JobRunResult, JobState, JobStore } from './job-store.ts';
import { minuteMs } from '../../domain/durations.ts';
import { dueWindow, lastDue, windowOfDate, type Window } from './schedule.ts';

export interface ListedJob extends JobState {
  readonly name: string;
  readonly summary: string;
  /** ms */
  readonly nextRunAt: number;
}

export interface Jobs {
  /** Runs what is due now, job after job, unless another worker has it; resolves with what was run here. */
  runDue(only?: string): Promise<JobRunResult[]>;
  /**
   * Runs a job now for a UTC date, today by default, regardless of the schedule and without a lease.
   * Throws RangeError for an unknown name or an invalid date; throws what the job throws.
   */
  run(name: string, date?: string): Promise<JobRunResult>;
  list(): Promise<ListedJob[]>;
  /** Polls for due jobs every 10 s from now on. */
  start(): void;
  /** Takes no more work, interrupts what runs at its next `save`, and resolves when it has been given back. */
  stop(): Promise<void>;
}

/** The job of a killed worker is taken over after this time. */
const defaultLeaseMs = 30_000;
const pollEveryMs = 10_000;
const longestBackoffMs = 60 * minuteMs;

/**
 * Runs jobs on any number of workers, each due window once. A worker holds a job by a lease that it renews; a worker that
 * finds an expired lease continues from the progress that was saved (docs/adr/0008-job-scheduler.md).
 */
export const createJobs = (deps: {
  store: JobStore;
  /** Jobs that this process runs by their schedule. */
  scheduled: readonly Job[];
  /** Jobs that can be run by hand. */
  all: readonly Job[];
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  leaseMs?: number;
}): Jobs => {
  const { store, clock, all, scheduled, leaseMs = defaultLeaseMs } = deps;
  const metrics = createJobMetrics(deps.metrics);
  const stopping = new AbortController();
  const running = new Set<Promise<unknown>>();
  /** Saves a query for windows that are known to be done. */
  const doneUntil = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let polling: Promise<unknown> = Promise.resolve();

  const keep = (run: JobRunResult) => {
    metrics.ended(run);
    return store.record(run);
  };

  const runClaimed = async (job: Job, claim: Claim): Promise<JobRunResult | undefined> => {
    const log = deps.log.child({ job: job.name });
    const lost = new AbortController();
    const signal = AbortSignal.any([stopping.signal, lost.signal]);
    const renew = async (progress?: { value: unknown }) => {
      if (!(await store.renew(claim, leaseMs, progress)))
        lost.abort(new Error('another worker has taken over'));
    };
    const heartbeat = setInterval(() => {
      // One that fails is tried again; if none succeeds the lease runs out, as it should.
      void renew().catch((error: unknown) => {
        log.warn({ event: 'job.renewal_failed', err: error }, 'job lease renewal failed');
      });
    }, leaseMs / 3).unref();
    const ended = (rest: Pick<JobRunResult, 'outcome' | 'figures' | 'error'>): JobRunResult => ({
      ...windowOf(claim),
      job: job.name,
      byHand: false,
      attempts: claim.attempts,
      startedAt: claim.startedAt,
      finishedAt: clock.now(),
      ...rest,
    });
    try {
      const figures = await job.run({
        ...windowOf(claim),
        progress: claim.progress,
        signal,
        log,
        async save(progress) {
          signal.throwIfAborted();
          await renew({ value: progress });
          signal.throwIfAborted();
        },
      });
      const done = ended({ outcome: 'done', figures });
      await keep(done);
      await store.complete(claim);
      doneUntil.set(job.name, claim.to);
      logDone(log, done);
      return done;
    } catch (error) {
      if (signal.aborted) {
        log.info({ event: 'job.interrupted' }, 'job interrupted; its lease was released');
        await store.release(claim, 0, false);
        return undefined;
      }
      const failed = ended({ outcome: 'failed', error: messageOf(error) });
      const waitMs = Math.min(minuteMs * 2 ** (claim.attempts - 1), longestBackoffMs);
      const level = claim.attempts < 3 ? 'warn' : 'error';
      log[level]({ event: 'job.failed', err: error, attempts: claim.attempts, waitMs }, 'job failed');
      await keep(failed);
      await store.release(claim, waitMs, true);
      return failed;
    } finally {
      clearInterval(heartbeat);
    }
  };

  const runIfDue = async (job: Job): Promise<JobRunResult | undefined> => {
    const now = clock.now();
    if (stopping.signal.aborted || (doneUntil.get(job.name) ?? -Infinity) >= lastDue(job, now))
      return undefined;
    const claim = await store.claim(job.name, {
      owner: newId(),
      leaseMs,
      now,
      due: (until) => dueWindow(job, until, now),
    });
    if (!claim) return undefined;
    if ('job' in claim) return runClaimed(job, claim);
    if (claim.doneUntil !== undefined) doneUntil.set(job.name, claim.doneUntil);
    return undefined;
  };

  const track = <T>(work: Promise<T>): Promise<T> => {
    running.add(work);
    return work.finally(() => running.delete(work));
  };

  const runDue = async (only?: string): Promise<JobRunResult[]> => {
    const ended: JobRunResult[] = [];
    for (const job of scheduled) {
      if (only !== undefined && job.name !== only) continue;
      // One that takes up what another worker left is followed by what has become due meanwhile.
      for (let run = await runIfDue(job); run; run = run.outcome === 'done' ? await runIfDue(job) : undefined)
        ended.push(run);
    }
    return ended;
  };

  const poll = () => {
    polling = track(runDue())
      .catch((error: unknown) => {
        deps.log.warn({ event: 'job.poll_failed', err: error }, 'polling for due jobs failed');
      })
      .finally(() => {
        if (!stopping.signal.aborted) timer = setTimeout(poll, pollEveryMs).unref();
      });
  };

  return {
    runDue: (only) => track(runDue(only)),
    async run(name, date) {
      const job = all.find((one) => one.name === name);
      if (!job) throw new RangeError(`Unknown job ${name}; jobs: ${all.map((one) => one.name).join(', ')}.`);
      const startedAt = clock.now();
      const window = windowOfDate(date ?? new Date(startedAt).toISOString().slice(0, 10), startedAt);
      const log = deps.log.child({ job: name });
      const run = (async (): Promise<JobRunResult> => {
        const attempt = { ...window, job: name, byHand: true, attempts: 1, startedAt };
        try {
          const figures = await job.run({
            ...window,
            progress: undefined,
            signal: stopping.signal,
            log,
            save: () => {
              stopping.signal.throwIfAborted();
              return Promise.resolve();
            },
          });
          const done: JobRunResult = { ...attempt, finishedAt: clock.now(), outcome: 'done', figures };
          await keep(done);
          logDone(log, done);
          return done;
        } catch (error) {
          await keep({
            ...attempt,
            finishedAt: clock.now(),
            outcome: 'failed',
            error: messageOf(error),
          });
          throw error;
        }
      })();
      return track(run);
    },
    list: () =>
      Promise.all(
        all.map(async (job) => ({
          name: job.name,
          summary: job.summary,
          nextRunAt: lastDue(job, clock.now()) + job.everyMs,
          ...(await store.state(job.name)),
        })),
      ),
    start() {
      timer = setTimeout(poll, pollEveryMs).unref();
    },
    async stop() {
      stopping.abort(new Error('the process stops'));
      clearTimeout(timer);
      await polling;
      await Promise.allSettled(running);
    },
  };
};

const windowOf = ({ from, to }: Window): Window => ({ from, to });

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const logDone = (log: Logger, { figures, startedAt, finishedAt, byHand }: JobRunResult) => {
  log.info(
    {
      event: 'job.done',
      durationMs: finishedAt - startedAt,
      byHand,
      figures: figures satisfies Figures | undefined,
    },
    'job done',
  );
};
