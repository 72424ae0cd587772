import { durationBuckets, type Metrics } from '../../../platform/telemetry/metrics.ts';

export interface PuffMetrics {
  /** What became of puffs that were sent; those whose body did not parse are the edge's. */
  counted(outcome: 'created' | 'duplicate' | 'rejected', count?: number): void;
  /** One write of the log, with so many puffs in it. */
  groupWritten(size: number, durationMs: number): void;
  /** People whose counts differed from a recount, in one run of `reconcile`. */
  drifted(people: number): void;
  watchQueue(depth: () => number): void;
  watchCheckpoints(lagMs: () => number): void;
}

const groupSizes = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000] as const;

export const createPuffMetrics = (metrics: Metrics): PuffMetrics => {
  const puffs = metrics.counter({
    name: 'puffs_total',
    help: 'Puffs by outcome; duplicates are acknowledgements',
    labels: ['outcome'],
  });
  const size = metrics.histogram({
    name: 'group_commit_size',
    help: 'Puffs in one write of the log',
    buckets: groupSizes,
  });
  const duration = metrics.histogram({
    name: 'group_commit_duration_seconds',
    help: 'How long one write of the log took, failed ones included',
    buckets: durationBuckets,
  });
  const drift = metrics.gauge({
    name: 'reconcile_drift_people',
    help: 'People whose counts differed from a recount in the last run of reconcile; must be 0',
  });
  return {
    counted(outcome, count = 1) {
      puffs({ outcome }, count);
    },
    groupWritten(puffCount, durationMs) {
      size({}, puffCount);
      duration({}, durationMs / 1000);
    },
    drifted(people) {
      drift({}, people);
    },
    watchQueue(depth) {
      metrics.watched(
        { name: 'log_queue_depth', help: 'Puffs and changes that wait for a write of the log' },
        depth,
      );
    },
    watchCheckpoints(lagMs) {
      metrics.watched(
        {
          name: 'checkpoint_lag_seconds',
          help: 'Age of the oldest change that no checkpoint holds yet; a start reads the log of so long',
        },
        () => lagMs() / 1000,
      );
    },
  };
};
