import type { ProblemCode } from '@pufftrack/contract';
import type { BreakerWatch } from '../../platform/concurrency/circuit-breaker.ts';
import type { Metrics } from '../../platform/telemetry/metrics.ts';

/** The services of Apple that a sign-in calls. */
export type AppleService = 'keys' | 'tokens' | 'devicecheck';

export interface AuthMetrics {
  signedIn(outcome: 'ok' | ProblemCode): void;
  refreshReused(): void;
  deviceUnknown(): void;
  /** Counts a call without a usable answer, or one that the open circuit prevented. */
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
    help: 'Sessions that ended because an old refresh token was reused',
  });
  const unknownDevices = metrics.counter({
    name: 'devicecheck_unknown_total',
    help: 'Sign-ins whose device could not be checked because DeviceCheck was unavailable',
  });
  const outages = metrics.counter({
    name: 'apple_unavailable_total',
    help: 'Calls to Apple without a usable answer',
    labels: ['service'],
  });
  const circuit = metrics.gauge({
    name: 'apple_circuit_open',
    help: '1 while a service of Apple is not called after failures',
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

/** Reports a circuit breaker of Apple. */
export const breakerMetrics = (metrics: AuthMetrics, service: AppleService): BreakerWatch => ({
  unavailable: () => {
    metrics.appleUnavailable(service);
  },
  changed: (isOpen) => {
    metrics.appleCircuit(service, isOpen);
  },
});
