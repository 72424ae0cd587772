import type { ProblemCode } from '@pufftrack/contract';
import type { Violation } from './connection-guard.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface SocketMetrics {
  connected(): void;
  refused(code: ProblemCode): void;
  /** `evicted`: it had not signed in when newer connections needed its place. A label, so a closed list. */
  closed(reason: Violation | 'evicted'): void;
  /** An event of a client was answered; `event` is one that is handled here, or `unknown`. */
  answered(event: string, outcome: 'ok' | ProblemCode): void;
}

export const createSocketMetrics = (metrics: Metrics): SocketMetrics => {
  const connections = metrics.counter({
    name: 'socket_connections_total',
    help: 'Upgrades and sign-ins of sockets by outcome: ok, or the code of the problem',
    labels: ['outcome'],
  });
  const violations = metrics.counter({
    name: 'socket_violations_total',
    help: 'Connections that were closed for what they sent, or to make room, by reason',
    labels: ['reason'],
  });
  const events = metrics.counter({
    name: 'socket_events_total',
    help: 'Events of clients by name and outcome: ok, or the code of the problem',
    labels: ['event', 'outcome'],
  });
  return {
    connected() {
      connections({ outcome: 'ok' });
    },
    refused(code) {
      connections({ outcome: code });
    },
    closed(reason) {
      violations({ reason });
    },
    answered(event, outcome) {
      events({ event, outcome });
    },
  };
};
