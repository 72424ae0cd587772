import type { Metrics } from '../telemetry/metrics.ts';
import type { JobRunResult } from './job-store.ts';

export interface JobMetrics {
  ended(run: JobRunResult): void;
}

/** What the jobs of this process did; what they did anywhere is in `jobruns` (`npm run job -- list`). */
export const createJobMetrics = (metrics: Metrics): JobMetrics => {
  const labels = ['job'] as const;
  const lastRun = metrics.gauge({
    name: 'job_last_run_timestamp_seconds',
    help: 'When a run of the job ended last, well or not',
    labels,
  });
  const lastSuccess = metrics.gauge({
    name: 'job_last_success_timestamp_seconds',
    help: 'When a run of the job last ended well',
    labels,
  });
  const duration = metrics.gauge({
    name: 'job_last_duration_seconds',
    help: 'How long the last run took',
    labels,
  });
  const failures = metrics.counter({
    name: 'job_failures_total',
    help: 'Runs that failed',
    labels,
  });
  return {
    ended({ job, outcome, startedAt, finishedAt }) {
      lastRun({ job }, finishedAt / 1000);
      duration({ job }, (finishedAt - startedAt) / 1000);
      if (outcome === 'done') lastSuccess({ job }, finishedAt / 1000);
      // Also 0, so that the series is there before the first failure.
      failures({ job }, outcome === 'failed' ? 1 : 0);
    },
  };
};
