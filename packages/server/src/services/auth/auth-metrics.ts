import type { ProblemCode } from '@pufftrack/contract';
import type { Metrics } from '../../platform/telemetry/metrics.ts';

/** What of Apple is asked. */
export type AppleService = 'keys' | 'tokens' | 'devicecheck';

export interface AuthMetrics {
  signedIn(outcome: 'ok' | ProblemCode): void;
  refreshReused(): void;
  deviceUnknown(): void;
  /** A question that Apple did not answer clearly, or was not asked because of those before. */
  appleUnavailable(service: AppleService): void;
  appleCircuit(service: AppleService, isOpen: boolean): void;
}

export const createAuthMetrics = (metrics: Metrics): AuthMetrics => {
  const signIns = metrics.counter({
    name: 'sign_ins_total',
    help: 'Sign-ins by outcome: ok, or the code of the problem',
    labels: ['outcome'],
  });
  const reuse = metrics.counter({
    name: 'auth_refresh_reuse_total',
    help: 'Sessions that ended because an old refresh token came back',
  });
  const unknownDevices = metrics.counter({
    name: 'devicecheck_unknown_total',
    help: 'Sign-ins whose device Apple could not be asked about',
  });
  const outages = metrics.counter({
    name: 'apple_unavailable_total',
    help: 'Questions to Apple without a clear answer',
    labels: ['service'],
  });
  const circuit = metrics.gauge({
    name: 'apple_circuit_open',
    help: '1 while a service of Apple is left alone after failures',
    labels: ['service'],
  });
  for (const service of ['keys', 'tokens', 'devicecheck'] as const) outages({ service }, 0);
  for (const service of ['tokens', 'devicecheck'] as const) circuit({ service }, 0);
  return {
    signedIn(outcome) {
      signIns({ outcome });
    },
    refreshReused() {
      reuse({});
    },
    deviceUnknown() {
      unknownDevices({});
    },
    appleUnavailable(service) {
      outages({ service });
    },
    appleCircuit(service, isOpen) {
      circuit({ service }, isOpen ? 1 : 0);
    },
  };
};
