import type { ProblemCode } from '@pufftrack/contract';
import type { Metrics } from '../telemetry/metrics.ts';

export interface SocketMetrics {
  connected(): void;
  refused(code: ProblemCode): void;
  /** An event of a client was answered; `event` is one that is handled here, or `unknown`. */
  answered(event: string, outcome: 'ok' | ProblemCode): void;
}

export const createSocketMetrics = (metrics: Metrics): SocketMetrics => {
  const connections = metrics.counter({
    name: 'socket_connections_total',
    help: 'Sockets that asked to be let in, by what they were told',
    labels: ['outcome'],
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
    answered(event, outcome) {
      events({ event, outcome });
    },
  };
};
