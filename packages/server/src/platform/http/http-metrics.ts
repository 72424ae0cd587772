import type { EndpointSpec } from '@pufftrack/contract';
import { durationBuckets, type Metrics } from '../telemetry/metrics.ts';

export interface HttpMetrics {
  /** A call of an endpoint was answered, `durationMs` after it reached the pipeline. */
  answered(spec: EndpointSpec, status: number, durationMs: number): void;
  /** A call of no endpoint was answered. */
  unmatched(status: number): void;
}

export const createHttpMetrics = (metrics: Metrics): HttpMetrics => {
  const duration = metrics.histogram({
    name: 'http_request_duration_seconds',
    help: 'Calls by method, path template and class of status; _count counts them',
    labels: ['method', 'route', 'status'],
    buckets: durationBuckets,
  });
  const unmatched = metrics.counter({
    name: 'http_unmatched_total',
    help: 'Calls of an address or method that is no endpoint',
    labels: ['status'],
  });
  return {
    answered({ method, path }, status, durationMs) {
      duration({ method, route: path, status: classOf(status) }, durationMs / 1000);
    },
    unmatched(status) {
      unmatched({ status: classOf(status) });
    },
  };
};

const classOf = (status: number): string => `${Math.floor(status / 100)}xx`;
